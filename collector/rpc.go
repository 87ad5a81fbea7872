package collector

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protowire"
)

// Codes of google.rpc.Status.
const (
	codeInvalid     = 3
	codeForbidden   = 7
	codeExhausted   = 8
	codeInternal    = 13
	codeUnavailable = 14
)

// statusBody is a google.rpc.Status, whose code is field 1 and whose message is field 2.
func statusBody(media string, code int, message string) []byte {
	if media == mediaProto {
		b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
		return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), message)
	}
	b, err := json.Marshal(map[string]any{"code": code, "message": message})
	if err != nil {
		return []byte(`{"code":13}`) // a number and a string can always be written
	}
	return b
}

// Package wire is the form in which records travel on the bus. Deliveries and scores, which are many, have a compact
// form that begins with its number; whoever reads them reads the JSON of older programs too. All else is JSON, written
// and read by the second version of the JSON package, which takes half the time of the first.
//
// It owns how to write and read, and nothing of what is written. The JSON that strangers send is read by it too, and
// refused by others, who know the words for it.
package wire

import (
	"bytes"
	"errors"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/asgood-dev/asgood/internal/quality"
)

// errContent is about content that is neither text nor a list of messages.
var errContent = errors.New("want a string or a list of chat messages")

// The contents of samples are read and written in place: their own methods would go through them twice.
var (
	reading = jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(readContent))
	strict  = jsonv2.JoinOptions(reading, jsonv2.RejectUnknownMembers(true))
	writing = jsonv2.JoinOptions(jsonv2.WithMarshalers(jsonv2.MarshalToFunc(writeContent)), jsontext.AllowInvalidUTF8(true),
		jsonv1.OmitEmptyWithLegacySemantics(true)) // a reference that is empty is one, and not left out
)

func readContent(dec *jsontext.Decoder, c *quality.Content) error {
	switch dec.PeekKind() {
	case '"':
		token, err := dec.ReadToken()
		*c = quality.Content{Text: token.String()}
		return err
	case '[':
		*c = quality.Content{Messages: []quality.Message{}}
		return jsonv2.UnmarshalDecode(dec, &c.Messages)
	case 'n':
		*c = quality.Content{}
		return dec.SkipValue()
	default:
		return errContent
	}
}

func writeContent(enc *jsontext.Encoder, c quality.Content) error {
	if c.Messages == nil {
		return enc.WriteToken(jsontext.String(c.Text))
	}
	return jsonv2.MarshalEncode(enc, c.Messages)
}

// Unmarshal reads a record. A member that it does not have is passed over.
func Unmarshal(data []byte, v any) error { return jsonv2.Unmarshal(data, v, reading) }

// UnmarshalStrict reads a record and refuses members that it does not have.
func UnmarshalStrict(data []byte, v any) error { return jsonv2.Unmarshal(data, v, strict) }

// Marshal writes a record.
func Marshal(v any) ([]byte, error) { return jsonv2.Marshal(v, writing) }

// Write appends a record to a buffer.
func Write(b *bytes.Buffer, v any) error { return jsonv2.MarshalWrite(b, v, writing) }

package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// ReadJSON reads the one JSON object of a body of at most limit bytes, without unknown fields. It takes only
// what is declared as JSON, which a page of another site cannot make a browser send. Errors are of kind
// invalid, or say that the body is too large.
func ReadJSON(g *gin.Context, v any, limit int64) error {
	if kind, _, err := mime.ParseMediaType(g.GetHeader("Content-Type")); err != nil || kind != "application/json" {
		return quality.Errorf(quality.KindInvalid, "want the header Content-Type: application/json")
	}
	d := json.NewDecoder(http.MaxBytesReader(g.Writer, g.Request.Body, limit))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return quality.Errorf(quality.KindInvalid, "reading the body: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return quality.Errorf(quality.KindInvalid, "the body has more than one object")
	}
	return nil
}

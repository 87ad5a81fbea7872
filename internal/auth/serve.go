package auth

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// Created is the answer to a key that was made. The token is not kept: it is shown this once.
type Created struct {
	Key
	Token string `json:"key"`
}

// List is the answer to a question for all keys.
type List struct {
	Keys []Key `json:"keys"`
}

// maxSpec bounds the body that asks for a key, in bytes.
const maxSpec = 256 << 10

// RegisterInternal adds the routes by which keys are made, listed and revoked.
func (k *Keys) RegisterInternal(r gin.IRouter) {
	r.POST("/v1/keys", web.Handle(k.postKey))
	r.GET("/v1/keys", func(c *gin.Context) { answer(c, List{Keys: k.List()}) })
	r.DELETE("/v1/keys/:id", web.Handle(k.deleteKey))
}

func answer(c *gin.Context, v any) {
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, v)
}

func (k *Keys) postKey(c *gin.Context) error {
	// No web page can send this type without asking first.
	if media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || media != "application/json" {
		return quality.Errorf(quality.KindInvalid, "Content-Type: want application/json, got %.60q", c.GetHeader("Content-Type"))
	}
	spec, err := readSpec(c.Request.Body)
	if err != nil {
		return err
	}
	key, token, err := k.Create(c.Request.Context(), spec)
	if err != nil {
		return err
	}
	answer(c, Created{Key: key, Token: token})
	return nil
}

func readSpec(r io.Reader) (Spec, error) {
	dec := json.NewDecoder(io.LimitReader(r, maxSpec))
	dec.DisallowUnknownFields()
	var s Spec
	if err := dec.Decode(&s); err != nil {
		return s, quality.Errorf(quality.KindInvalid, "body is not a key to be made: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return s, quality.Errorf(quality.KindInvalid, "body is not a key to be made: unexpected data after the JSON object")
	}
	return s, nil
}

func (k *Keys) deleteKey(c *gin.Context) error {
	key, err := k.Revoke(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	answer(c, key)
	return nil
}

package baseline

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

// maxBody bounds what is asked for.
const maxBody = 64 << 10

// Register adds the routes, for the internal listener.
func (k *Keeper) Register(r gin.IRouter) {
	r.GET("/v1/baselines", web.Handle(k.getBooks))
	r.GET("/v1/baselines/:feature/:metric", web.Handle(k.getBook))
	r.POST("/v1/baselines/:feature/:metric/promote", web.Handle(k.postPromote))
	r.POST("/v1/baselines/:feature/:metric/pin", web.Handle(k.postPin))
}

// List is the answer of GET /v1/baselines.
type List struct {
	Baselines []quality.BaselineBook `json:"baselines"`
}

func (k *Keeper) getBooks(g *gin.Context) error {
	books, err := k.Books(g.Request.Context())
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, List{books})
	return nil
}

func (k *Keeper) getBook(g *gin.Context) error {
	b, err := k.Book(g.Request.Context(), g.Param("feature"), g.Param("metric"))
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, b)
	return nil
}

func (k *Keeper) postPromote(g *gin.Context) error {
	var p Promotion
	if err := read(g, &p); err != nil {
		return err
	}
	v, err := k.Promote(g.Request.Context(), g.Param("feature"), g.Param("metric"), p)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, v)
	return nil
}

func (k *Keeper) postPin(g *gin.Context) error {
	var p quality.BaselinePin
	if err := read(g, &p); err != nil {
		return err
	}
	b, err := k.Pin(g.Request.Context(), g.Param("feature"), g.Param("metric"), p)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, b)
	return nil
}

// read takes only JSON, which a page of another site cannot make a browser send.
func read(g *gin.Context, v any) error {
	if kind, _, err := mime.ParseMediaType(g.GetHeader("Content-Type")); err != nil || kind != "application/json" {
		return quality.Errorf(quality.KindInvalid, "want the header Content-Type: application/json")
	}
	d := json.NewDecoder(http.MaxBytesReader(g.Writer, g.Request.Body, maxBody))
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

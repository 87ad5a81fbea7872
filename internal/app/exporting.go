package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/statuspage"
	"github.com/asgood-dev/asgood/statuspage/still"
)

// ExportOptions say where the page is written to, and of which server or data.
type ExportOptions struct {
	Config   *config.Config
	Logger   *slog.Logger
	Dir      string          // the folder, which is replaced as a whole
	Server   string          // internal address of a server; empty means the configuration's, or its data when none answers
	Key      string          // sent to the server when it is not empty
	Progress func(files int) // called for each file; nil means that nobody watches
}

// ExportResult is what was written.
type ExportResult struct {
	Folder string `json:"folder"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Server string `json:"server,omitempty"` // that gave the page; empty when it was made of stored data
}

// Export writes the public page as files: as a running server shows it, or, when none runs, of what is stored.
func Export(ctx context.Context, o ExportOptions) (res ExportResult, err error) {
	res.Folder = o.Dir
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		res.Server = addr
		return res, o.fromServer(ctx, addr, &res)
	}
	return res, o.fromData(ctx, &res)
}

// write replaces the folder and counts.
func (o ExportOptions) write(res *ExportResult, fill func(still.Put) error) error {
	return still.Write(o.Dir, func(put still.Put) error {
		return fill(func(name string, body []byte) error {
			res.Files, res.Bytes = res.Files+1, res.Bytes+int64(len(body))
			if o.Progress != nil {
				o.Progress(res.Files)
			}
			return put(name, body)
		})
	})
}

func (o ExportOptions) fromServer(ctx context.Context, addr string, res *ExportResult) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr+"/v1/export", nil)
	if err != nil {
		return quality.Errorf(quality.KindInvalid, "server address: %w", err)
	}
	if o.Key != "" {
		req.Header.Set("Authorization", "Bearer "+o.Key)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("reading the answer of the server: %w", err)
		}
		return refusal(answer, data)
	}
	return o.write(res, func(put still.Put) error { return still.Unpack(answer.Body, put) })
}

func (o ExportOptions) fromData(ctx context.Context, res *ExportResult) (err error) {
	e, err := openEngines(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if _, err := e.store.Migrate(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	reader, err := newPageReader(ctx, e, func() {})
	if err != nil {
		return err
	}
	options := pageOptions(o.Config, reader)
	options.Logger = o.Logger
	page, err := statuspage.New(options)
	if err != nil {
		return err
	}
	if err := page.Read(ctx); err != nil {
		return err
	}
	return o.write(res, page.Fill)
}

// pageOptions are what the configuration says of the status page.
func pageOptions(cfg *config.Config, reader statuspage.Reader) statuspage.Options {
	return statuspage.Options{
		Title: cfg.StatusPage.Title, URL: cfg.StatusPage.URL, Features: cfg.Features, Location: cfg.Location(), Reader: reader,
		Groups: cfg.StatusPage.Groups, Hidden: cfg.StatusPage.Hidden,
		Description: cfg.StatusPage.Description, Languages: cfg.StatusPage.Languages, Uptime: cfg.StatusPage.Uptime, Brand: cfg.StatusPage.Brand,
	}
}

// registerExport adds the route that gives the page as a pack of files.
func (a *App) registerExport(r gin.IRouter) {
	r.GET("/v1/export", web.Handle(func(c *gin.Context) error {
		c.Header("Content-Type", "application/x-tar")
		c.Header("Cache-Control", "no-store")
		// After a failure the pack has no end, by which who reads it knows.
		return still.Pack(c.Writer, a.opts.Now(), a.rooms.page.Fill)
	}))
}

// Package demo runs Asgood against a simulated product: it makes the outputs of three features, sends
// them through the real ingest listener, and plays a week in about two minutes.
//
// It owns the simulation only. Everything that is seen on the page went the way real traffic goes.
package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

//go:embed demo.yaml
var configuration []byte

//go:embed answer.schema.json
var answerSchema []byte

// historyDays is how many days before the week are filled in, so that the 90 bars have something to show.
const historyDays = 83

// Options of a demo.
type Options struct {
	Dir      string        // where the data go; those of an earlier demo are removed first
	Public   string        // address of the status page
	Ingest   string        // address of the ingest listener
	Internal string        // address of the internal listener
	Week     time.Duration // how long the simulated week takes; default 2 minutes
	Seed     uint64        // of the simulated product
	Out      io.Writer     // where to say what to look at
	Logger   *slog.Logger

	now func() time.Time // end of the simulated week; nil means time.Now
}

type demo struct {
	opts    Options
	app     *app.App
	clock   *clock
	product *product
	real    *productServer
	key     string // with which the product sends
	client  *http.Client
}

// Run starts everything, fills in the past, plays the week, and then goes on in real time until ctx ends.
func Run(ctx context.Context, o Options) error {
	if o.Week <= 0 {
		o.Week = 2 * time.Minute
	}
	if o.now == nil {
		o.now = time.Now
	}
	release, err := claimDir(o.Dir)
	if err != nil {
		return err
	}
	defer release()
	d := &demo{opts: o, clock: newClock(o.now().Add(-week)), client: &http.Client{Timeout: time.Minute}}
	d.product = &product{rand: mathrand.New(mathrand.NewPCG(o.Seed, 1)), start: d.clock.Now()}
	if d.real, err = startProduct(o.Out); err != nil {
		return err
	}
	defer d.real.Close()
	if err := d.start(ctx); err != nil {
		return err
	}
	playErr := d.play(ctx)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err := d.app.Stop(stop); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // the user ended it
	}
	return playErr
}

func (d *demo) start(ctx context.Context) error {
	cfg, err := d.config()
	if err != nil {
		return err
	}
	d.app, err = app.New(ctx, app.Options{
		Config: cfg, Logger: d.opts.Logger, Now: d.clock.Now, Simulated: true,
	})
	if err != nil {
		return err
	}
	// The product sends with a key, so that the ingest listener may be open to other machines too.
	if d.key, err = d.app.CreateKey(ctx, app.KeySpec{Name: "simulated product", Scopes: []app.KeyScope{"samples"}}); err != nil {
		return err
	}
	return d.app.Start(ctx)
}

func (d *demo) config() (*config.Config, error) {
	if err := os.WriteFile(filepath.Join(d.opts.Dir, schemaFile), answerSchema, 0o644); err != nil {
		return nil, fmt.Errorf("writing the demo's schema: %w", err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making the webhook's secret: %w", err)
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	d.real.secret = secret
	env := map[string]string{
		"DEMO_DIR": filepath.Join(d.opts.Dir, dataDir), "DEMO_PRODUCT": d.real.url, "DEMO_SECRET": secret,
		"DEMO_PUBLIC": d.opts.Public, "DEMO_INGEST": d.opts.Ingest, "DEMO_INTERNAL": d.opts.Internal,
		// Without a URL the configuration takes that of the public listener.
		"DEMO_URL": "", "DEMO_ZONE": "UTC",
	}
	return config.Parse(filepath.Join(d.opts.Dir, "demo.yaml"), configuration, func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
}

// play fills in the past, then the week, then goes on at the pace of the wall clock.
func (d *demo) play(ctx context.Context) error {
	page := "http://" + pageHost(d.app.Addr("public"))
	d.say("status page    %s", page)
	if link, err := d.app.FirstLink(ctx); err != nil {
		return err
	} else if link != "" {
		d.say("console        %s (signs you in, once)", link)
	}
	d.say("filling in %d quiet days ...", historyDays)
	began := time.Now()
	sent, err := d.history(ctx)
	if err != nil {
		return err
	}
	d.say("%d outputs stored in %.1f s. Now a week in %s. Watch the page change:", sent, time.Since(began).Seconds(), d.opts.Week)
	d.say("  +%3.0f s  Support assistant: a prompt edit breaks the JSON contract, in German only", d.offset(promptEdit))
	d.say("  +%3.0f s  Invoice reader: the provider swaps the model; totals are wrong more often, nothing errors", d.offset(modelSwap))
	d.say("  +%3.0f s  Support assistant: the prompt is rolled back", d.offset(promptRevert))
	d.say("  +%3.0f s  Meeting notes: many more short calls; the traffic changed, the feature did not: no alarm", d.offset(mixShift))
	d.say("Uptime stays what it was: nothing crashes.")
	if err := d.week(ctx); err != nil {
		return err
	}
	d.say("The week is over; the product goes on in real time. %s/api/v2/summary.json has the same as JSON. Ctrl-C ends it.", page)
	return d.live(ctx)
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.opts.Out, format+"\n", args...) }

func (d *demo) offset(event time.Duration) float64 {
	return (d.opts.Week.Seconds()) * float64(event) / float64(week)
}

// history sends the days before the week, a day at a time.
func (d *demo) history(ctx context.Context) (int, error) {
	sent := 0
	for day := historyDays; day > 0; day-- {
		from := d.product.start.AddDate(0, 0, -day)
		n, err := d.send(ctx, from, from.AddDate(0, 0, 1))
		if err != nil {
			return sent, err
		}
		if err := d.app.RecordProbes(ctx, d.probes(from, from.AddDate(0, 0, 1))); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// probes makes the availability checks of the past, one each ten minutes.
func (d *demo) probes(from, to time.Time) []quality.ProbeResult {
	var out []quality.ProbeResult
	for at := from; at.Before(to); at = at.Add(10 * time.Minute) {
		for _, m := range makers {
			out = append(out, quality.ProbeResult{
				Feature: m.feature, Probe: "health", Time: at, Up: d.product.up(m.feature, at), Latency: 80 * time.Millisecond,
			})
		}
	}
	return out
}

// hop is the simulated time that is drawn at once. It does not depend on how fast time passes, so that a
// seed gives the same week on every machine.
const hop = 5 * time.Minute

// send makes the outputs of a period and posts them in the order of their time.
func (d *demo) send(ctx context.Context, from, to time.Time) (int, error) {
	var samples []quality.Sample
	for at := from; at.Before(to); at = at.Add(hop) {
		end := at.Add(hop)
		if end.After(to) {
			end = to
		}
		for i := range makers {
			samples = append(samples, d.product.between(i, at, end)...)
		}
	}
	if len(samples) == 0 {
		return 0, nil
	}
	sort.SliceStable(samples, func(i, j int) bool { return samples[i].Time.Before(samples[j].Time) })
	return len(samples), d.post(ctx, samples)
}

func (d *demo) post(ctx context.Context, samples []quality.Sample) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for i := range samples {
		if err := enc.Encode(&samples[i]); err != nil {
			return fmt.Errorf("encoding a simulated sample: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.app.Addr("ingest")+"/v1/samples", &body)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Authorization", "Bearer "+d.key)
	res, err := d.client.Do(req)
	if err != nil {
		return fmt.Errorf("sending simulated samples: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
		return fmt.Errorf("sending simulated samples: %s: %s", res.Status, text)
	}
	return nil
}

// step is how often the simulated product speaks while the week is played.
const step = 250 * time.Millisecond

func (d *demo) week(ctx context.Context) error {
	tick := time.NewTicker(step)
	defer tick.Stop()
	began, from := time.Now(), d.product.start
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		share := float64(time.Since(began)) / float64(d.opts.Week)
		passed := time.Duration(min(share, 1) * float64(week))
		to := d.product.start.Add(passed.Truncate(hop))
		if _, err := d.send(ctx, from, to); err != nil {
			return err
		}
		if err := d.app.RecordProbes(ctx, d.probes(from, to)); err != nil {
			return err
		}
		from = to
		d.clock.Set(d.product.start.Add(passed))
		if share >= 1 {
			return nil
		}
	}
}

// live goes on at the pace of the wall clock, from where the week ended.
func (d *demo) live(ctx context.Context) error {
	d.clock.Go()
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	from := d.clock.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		to := d.clock.Now()
		if _, err := d.send(ctx, from, to); err != nil {
			return err
		}
		from = to
	}
}

// Package config reads the one YAML file that configures Asgood, and checks it as a whole: every
// problem is reported with file, line, column and the offending text, and none prints a secret.
//
// It owns the form of the file, its defaults and its checks. It does not know what the rooms do with
// what it says, opens no database and no listener, and reads no environment of its own accord: the
// caller of Parse hands it in.
package config

import (
	"path/filepath"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Embedded is the value of Storage.ClickHouse and Storage.NATS that runs the engine in process.
const Embedded = "embedded"

// Config is the whole configuration, with defaults filled in.
type Config struct {
	Name        string              `yaml:"name"` // of the product or company, shown to customers
	Storage     Storage             `yaml:"storage"`
	Features    []quality.Feature   `yaml:"features"`
	FalseAlarms quality.FalseAlarms `yaml:"false_alarms"` // the budget of every monitor that has no own
	Retention   Retention           `yaml:"retention"`
	TimeZone    string              `yaml:"time_zone"` // all days are days of this zone
	Customers   []quality.Customer  `yaml:"customers"`
	Listen      Listen              `yaml:"listen"`
	Ingest      Ingest              `yaml:"ingest"`
	StatusPage  StatusPage          `yaml:"statuspage"`
	Alerts      Alerts              `yaml:"alerts"`
	Changes     quality.ChangeSpec  `yaml:"changes"`
	Auth        Auth                `yaml:"auth"`
	Mail        *Mail               `yaml:"mail"` // absent: no mails are sent

	location *time.Location
	dir      string // of the file
}

// BaselineFile returns the file of a pinned baseline: samples in the native format, in the folder
// baselines beside the configuration.
func (c *Config) BaselineFile(name string) string {
	return filepath.Join(c.dir, "baselines", name+".ndjson")
}

// Location returns the reporting time zone.
func (c *Config) Location() *time.Location {
	if c.location == nil {
		return time.UTC
	}
	return c.location
}

// Storage says where data is kept.
type Storage struct {
	ClickHouse string `yaml:"clickhouse"` // "embedded" or a DSN
	NATS       string `yaml:"nats"`       // "embedded" or a URL
	Dir        string `yaml:"dir"`        // data of the embedded engines; a relative one is beside the file
	Library    string `yaml:"library"`    // libchdb.so; empty means it is searched for
	Cluster    string `yaml:"cluster"`    // ClickHouse cluster of a replicated schema; only with a DSN
	MinFree    Bytes  `yaml:"min_free"`   // below so much free disk nothing more is taken in; 0 means no such limit
}

// Bytes is an amount of memory or disk, written as 512MiB or 2GB.
type Bytes int64

// EmbeddedClickHouse reports whether ClickHouse runs in process.
func (s Storage) EmbeddedClickHouse() bool { return s.ClickHouse == Embedded }

// EmbeddedNATS reports whether NATS runs in process.
func (s Storage) EmbeddedNATS() bool { return s.NATS == Embedded }

// Retention says how long data is kept.
type Retention struct {
	Samples time.Duration `yaml:"samples"`
	Scores  time.Duration `yaml:"scores"`
}

// Listen holds the addresses of the listeners.
type Listen struct {
	Public   string `yaml:"public"`
	Ingest   string `yaml:"ingest"`   // asks for keys unless it is a loopback address
	GRPC     string `yaml:"grpc"`     // of OTLP over gRPC; asks for keys unless it is a loopback address
	Internal string `yaml:"internal"` // a loopback address

	// TrustedProxies are the networks, as CIDRs or addresses, whose X-Forwarded-For says who called; none means that
	// no header does.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// StatusPage configures the public status page.
type StatusPage struct {
	Title string `yaml:"title"` // defaults to the name and "status"
	URL   string `yaml:"url"`   // where customers reach it; defaults to the public listener on localhost

	// Publishing.
	Publish     []quality.PublishRule `yaml:"publish"`      // who publishes incidents; never: only people
	UpdateEvery time.Duration         `yaml:"update_every"` // after which texts made of figures promise the next update; 0s promises none
	Templates   map[string]string     `yaml:"templates"`    // of texts, by stage
	// What programs and search engines read.
	Groups []quality.FeatureGroup `yaml:"groups"` // headings over features; those in none stand before them
	Hidden bool                   `yaml:"hidden"` // search engines are told not to list the page

	// What visitors read and see.
	Description string             `yaml:"description"` // plain text, one line, under the title
	Languages   []string           `yaml:"languages"`   // en, de; the default first; none means en
	Uptime      quality.UptimeSpec `yaml:"uptime"`
	Brand       quality.Brand      `yaml:"brand"`
	Export      string             `yaml:"export"` // folder that holds the page as files, written on every change; a relative one is beside the file
	// Pages of customers.
	Private Private `yaml:"private"`
	// Subscribers.
	Subscriptions Subscriptions `yaml:"subscriptions"`
}

// Alerts says who is told about incidents.
type Alerts struct {
	Receivers []quality.Receiver `yaml:"receivers"`
}

const day = 24 * time.Hour

// Defaults returns the configuration of an empty file:
//
//   - name "Asgood", no features, customers or receivers;
//   - both engines embedded, data in ./data, of whose disk 512 MiB stay free;
//   - at most one false alarm in 30 days over the whole fleet;
//   - samples kept 30 days, scores 400 days;
//   - days of UTC;
//   - the status page on :8080 for everyone, ingest on 127.0.0.1:4318 (gRPC on 4317) and the internal
//     listener on 127.0.0.1:8081 for this machine only;
//   - incidents are published ten minutes after they began, unless somebody vetoes;
//   - bodies of up to 64 MiB, and no limit on what one customer sends;
//   - no sign-in service; sessions of people end after 8 hours without use, and after a day;
//   - every kind of subscription offered, that by e-mail once there is a mail relay.
func Defaults() *Config {
	return &Config{
		Name:        "Asgood",
		Storage:     Storage{ClickHouse: Embedded, NATS: Embedded, Dir: "data", MinFree: 512 << 20},
		FalseAlarms: quality.FalseAlarms{Period: 30 * day},
		Retention:   Retention{Samples: 30 * day, Scores: 400 * day},
		TimeZone:    "UTC",
		Listen:      Listen{Public: ":8080", Ingest: "127.0.0.1:4318", GRPC: "127.0.0.1:4317", Internal: "127.0.0.1:8081"},
		Ingest:      Ingest{MaxBody: maxMaxBody},
		Auth:        Auth{Session: Session{Idle: 8 * time.Hour, Lifetime: day}},
		StatusPage:  StatusPage{Private: Private{Least: 200}, Subscriptions: Subscriptions{Email: true, Webhook: true, Slack: true, Teams: true}},
		location:    time.UTC,
	}
}

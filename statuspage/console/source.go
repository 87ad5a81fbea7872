package console

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// State reads what holds now. It comes from the bus and from memory, and is there while ClickHouse is away.
type State interface {
	Statuses(ctx context.Context) ([]quality.MonitorStatus, error)
	Regressions(ctx context.Context) ([]quality.Regression, error)
	Incidents(ctx context.Context) ([]quality.Incident, error) // internal ones too
	Maintenances(ctx context.Context) ([]quality.Maintenance, error)
	Tiles() []Tiles // of every feature, as customers see them
}

// Tiles are the two tiles of a feature on the status page.
type Tiles struct {
	Feature, Title string
	Quality        Tile
	Uptime         Tile
}

// Tile is what one of them says.
type Tile struct {
	Word, Slug string
	Percent    *float64    // of the baseline, of quality
	Interval   *[2]float64 // 95 %, of Percent
	Share      string      // of checks that were answered, of uptime
	Since      *time.Time
	Note       string
}

// Store reads what is many, from ClickHouse. Any of it may fail while that is away.
type Store interface {
	ScoreDays(ctx context.Context, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error)
	Sample(ctx context.Context, feature, id string) (quality.Sample, error)
	ScoresOf(ctx context.Context, x *quality.Sample) ([]quality.Score, error)
	FindSamples(ctx context.Context, q quality.SampleQuery) ([]quality.FoundSample, error)
	SamplesNamed(ctx context.Context, id string, limit int) ([]quality.SampleKey, error)
	Judged(ctx context.Context, feature, metric, human string, from, to time.Time, limit int) ([]quality.Judged, error)
}

// Monitor is what is told of a monitor beside its status.
type Monitor struct {
	quality.MonitorStatus
	Week      *quality.WeekView      // nil: it could not be read
	Objective *quality.ObjectiveView // nil without one
	Corrected *quality.CorrectedMean // of metrics that a judge makes
}

// Report is a regression with all that is known of it.
type Report struct {
	Regression  quality.Regression
	Explanation quality.Explanation
	Text        []string // the explanation in sentences
	Evidence    quality.Evidence
}

// Evaluator tells of monitors and regressions.
type Evaluator interface {
	// Monitors reads ClickHouse. What of them could not be read is left out, and said in sentences in unread.
	Monitors(ctx context.Context) (list []Monitor, unread []string, err error)
	Streams(feature, metric string) []quality.StreamStatus
	Report(ctx context.Context, id string) (Report, error)
}

// ChangeQuery chooses entries of the ledger.
type ChangeQuery struct {
	Feature    string
	From, To   time.Time
	Undeclared bool // only those that were seen and that nobody declared
	Limit      int
	Cursor     string // of the page before
}

// Ledger reads and writes the ledger of changes.
type Ledger interface {
	// List returns entries, the newest first, and the cursor of the next page, empty on the last.
	List(q ChangeQuery) (list []quality.Change, next string)
	// Record enters a change and returns its id. What is wrong with it is an error of kind invalid.
	Record(ctx context.Context, c quality.Change) (id string, err error)
	// Own says who answers for an entry.
	Own(ctx context.Context, id, owner string) error
}

// Promotion asks for a new version of a baseline; zero times leave the period to the evaluator.
type Promotion struct {
	From, To             time.Time
	Name, Reason, Accept string // Accept: id of the open regression whose level is accepted, or "slide"
}

// Baselines keeps the versions of baselines. What must not become a baseline is refused with the reason.
type Baselines interface {
	Books(ctx context.Context) ([]quality.BaselineBook, error)
	Book(ctx context.Context, feature, metric string) (quality.BaselineBook, error)
	Promote(ctx context.Context, feature, metric string, p Promotion) error
	Pin(ctx context.Context, feature, metric string, version int, reason string) error
}

// JudgeReport is what is known of a judge.
type JudgeReport struct {
	quality.JudgeStatus
	Agreement quality.Agreement
	Earlier   []quality.Agreement
	Week      quality.CorrectedMean
}

// Asking is what asking a scorer takes.
type Asking struct {
	Feature, Name, Type, Version, Endpoint, Model string
	Rate                                          float64
	Budget                                        string // in words; empty without one
	AwayUntil                                     time.Time
	Days                                          []AskingDay // oldest first
}

// AskingDay is one day of it.
type AskingDay struct {
	Day   string
	Spend quality.Spend
}

// Judges tells how far judges can be believed, and takes labels.
type Judges interface {
	List() []quality.JudgeStatus
	Report(ctx context.Context, feature, metric string) (JudgeReport, error)
	Scorers() []Asking
	// Label stores what a person said of a sample.
	Label(ctx context.Context, f quality.Feedback) error
}

// StatedFact is one of the facts that the text of an incident must carry.
type StatedFact struct {
	Key, Label, Text string // Text is empty while it is not known
}

// DeskView is what the desk knows of an incident beside the incident itself.
type DeskView struct {
	Facts   []StatedFact // as measured or stated last
	Missing []string     // what its public text does not say
}

// Post is a new update of an incident.
type Post struct {
	Status   quality.IncidentStatus // empty: as it is
	Body     string                 // Markdown; empty: the template of the status, filled with the facts
	Facts    map[string]string      // by key, over those that are measured
	Internal bool
	Reason   string    // required to go back
	Next     time.Time // when the next update is promised; zero: none is
}

// Desk is where people decide about incidents and maintenances. Who acts it reads from the context.
type Desk interface {
	Incident(ctx context.Context, id string) (DeskView, error)
	// Preview returns the text that an update would have, and what the incident's texts would not say with it.
	Preview(ctx context.Context, id string, p Post) (body string, missing []string, err error)
	// Publish makes an incident public; override, with a reason, also one whose text lacks facts.
	Publish(ctx context.Context, id string, override bool, reason string) error
	Veto(ctx context.Context, id, reason string) error
	Post(ctx context.Context, id string, p Post) error
	Correct(ctx context.Context, id, update, body string) error
	Own(ctx context.Context, id, owner string) error
	// Postmortem returns the text as it is, or a draft made of the facts.
	Postmortem(ctx context.Context, id string) (body string, written bool, err error)
	WritePostmortem(ctx context.Context, id, body string, publish bool) error
	// Report makes an incident, which is internal until it is published.
	Report(ctx context.Context, r Reported) (id string, err error)
	// Backfill enters an incident that is over; nobody is notified.
	Backfill(ctx context.Context, p PastIncident) (id string, err error)
	Schedule(ctx context.Context, m Planned) (id string, err error)
	// Replan changes a maintenance that is not over. Zero times stay as they are, and so does the text.
	Replan(ctx context.Context, maintenance string, m Planned) error
	Advance(ctx context.Context, maintenance string, status quality.MaintenanceStatus, body string) error
}

// Reported is an incident that goes on, as a person enters it.
type Reported struct {
	Name            string
	Kind            quality.IncidentKind
	Features        []string
	Severity        quality.Severity
	Status          quality.IncidentStatus
	Body            string // Markdown; empty: the template of the status
	Owner           string
	StartedAt, Next time.Time // zero: now, and no promise
}

// PastIncident is an incident that is over, as a person enters it.
type PastIncident struct {
	Name                  string
	Kind                  quality.IncidentKind
	Features              []string
	Severity              quality.Severity
	StartedAt, ResolvedAt time.Time
	Began, Ended          string // Markdown; Began may be empty
	Public                bool
	Reason                string // of the publication
}

// Planned asks for a maintenance.
type Planned struct {
	Name     string
	Features []string
	From, To time.Time
	Auto     bool
	Body     string // Markdown; empty: the template
}

// Key is a key of a machine, without its secret.
type Key struct {
	ID, Name, State            string // State: active, expired or revoked
	Scopes, Features           []string
	Created, Expires, LastUsed time.Time
}

// KeySpec asks for a key.
type KeySpec struct {
	Name     string
	Scopes   []string
	Features []string
	Expires  time.Time // zero: never
}

// Keys keeps the keys of machines.
type Keys interface {
	List() []Key
	Scopes() []string
	// Create returns the token, which is shown this once.
	Create(ctx context.Context, s KeySpec) (k Key, token string, err error)
	Revoke(ctx context.Context, id string) error
}

// Audit reads the audit log.
type Audit interface {
	// Entries returns entries, the newest first, and the cursor of the next page, empty on the last. object
	// chooses those of one object, such as incident/inc_01J.
	Entries(ctx context.Context, object, cursor string, limit int) (list []quality.Audited, next string, err error)
}

// CustomerLink is a link by which a customer sees their own figures, without its secret.
type CustomerLink struct {
	ID, Customer, State string // State: active, expired or revoked
	By                  string // who made it
	Created, Expires    time.Time
	Revoked, LastUsed   time.Time
	Uses                uint64
}

// Customers makes and ends the links of customers. Who acts it reads from the context.
type Customers interface {
	// Links lists those of a customer, of all when it is empty, the newest first.
	Links(customer string) []CustomerLink
	// MakeLink returns the address, which is shown this once.
	MakeLink(ctx context.Context, customer string, expires time.Time) (address string, err error)
	RevokeLink(ctx context.Context, id string) error
}

// Subscriber is somebody who is told by the status page. Address is shortened by whoever tells it.
type Subscriber struct {
	ID, Channel, Address, State string
	Features, Kinds             []string
	Since                       time.Time
}

// Subscribers reads who is told.
type Subscribers interface {
	Subscribers(ctx context.Context) ([]Subscriber, error)
}

// Settings is the configuration in force, without secrets, and the health of the process.
type Settings struct {
	Lines  []Setting
	Checks []HealthCheck
}

// Setting is one value of the configuration.
type Setting struct {
	Key, Value string
	Secret     bool // it is set and not shown
}

// HealthCheck says whether one thing that the process depends on works.
type HealthCheck struct {
	Name  string
	Error string // empty: it works
	Took  time.Duration
}

package console

import (
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// changesPage is how many entries of the ledger stand on a page.
const changesPage = 50

// changeList is the page of the ledger.
type changeList struct {
	Feature    string
	Undeclared bool
	Names      []string
	Rows       []quality.Change
	Next       string // address of the next page
	Form       changeForm
}

// changeForm is what the form that records a change holds.
type changeForm struct {
	Title, Layer, Features, At, Owner, Reviewer, Reference, Before, After, Description string
	Declares                                                                           string // id of the undeclared change that it explains
}

func (c *Console) changes(g *gin.Context) (view, error) { return c.changesWith(g, c.newChange()) }

// newChange is an empty form.
func (c *Console) newChange() changeForm {
	return changeForm{Layer: string(quality.LayerPrompt), At: c.o.Now().In(c.o.Location).Format(timeLayouts[0])}
}

func (c *Console) changesWith(g *gin.Context, form changeForm) (view, error) {
	v := view{name: "changes", Title: "Changes", Section: "changes", Crumbs: []crumb{{"Overview", root}}}
	p := changeList{Feature: g.Query("feature"), Undeclared: g.Query("undeclared") != "", Names: c.featureNames(), Form: form}
	var next string
	p.Rows, next = c.o.Ledger.List(ChangeQuery{Feature: p.Feature, Undeclared: p.Undeclared, Limit: changesPage, Cursor: g.Query("cursor")})
	if next != "" {
		q := g.Request.URL.Query()
		q.Del("done")
		q.Set("cursor", next)
		p.Next = root + "/changes?" + q.Encode()
	}
	v.Page = &p
	return v, nil
}

// changeView is the page of one entry.
type changeView struct {
	quality.Change
	Form     changeForm
	Declared *quality.Change // by which it is explained
	Unowned  bool
}

// change finds an entry. Those behind the newest ones are found by a walk through the ledger, which is in memory.
func (c *Console) change(id string) (found quality.Change, err error) {
	for cursor := ""; ; {
		list, next := c.o.Ledger.List(ChangeQuery{Limit: 1000, Cursor: cursor})
		for _, x := range list {
			if x.ID == id {
				return x, nil
			}
		}
		if next == "" || next == cursor {
			return found, quality.Errorf(quality.KindNotFound, "no change %.80q in the ledger", id)
		}
		cursor = next
	}
}

func (c *Console) changePage(g *gin.Context) (view, error) { return c.changePageOf(g.Param("id"), nil) }

// changePageOf shows an entry, with a form as it was sent where there is one.
func (c *Console) changePageOf(id string, sent *changeForm) (view, error) {
	x, err := c.change(id)
	if err != nil {
		return view{}, err
	}
	v := view{name: "change", Title: "Change", Section: "changes", Crumbs: []crumb{{"Changes", root + "/changes"}}}
	p := changeView{Change: x, Form: c.declaring(x), Unowned: x.Flagged(quality.FlagNoOwner)}
	if sent != nil {
		p.Form = *sent
	}
	if x.ExplainedBy != "" {
		if d, err := c.change(x.ExplainedBy); err == nil {
			p.Declared = &d
		}
	}
	v.Page = &p
	return v, nil
}

// declaring is the form that declares what was seen: at the same time and of the same kind, so that it explains it.
func (c *Console) declaring(x quality.Change) changeForm {
	at := x.At
	if !x.FirstSeen.IsZero() {
		at = x.FirstSeen
	}
	return changeForm{Layer: string(x.Layer), Features: strings.Join(x.Features, ", "), At: at.In(c.o.Location).Format(timeLayouts[1]),
		Owner: x.Owner, Before: x.Before, After: x.After, Declares: x.ID}
}

var changeFields = []string{"title", "layer", "features", "at", "owner", "reviewer", "reference", "before", "after", "description"}

func (c *Console) recordChange(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	form := changeForm{Title: field(g, "title"), Layer: field(g, "layer"), Features: field(g, "features"), At: field(g, "at"),
		Owner: field(g, "owner"), Reviewer: field(g, "reviewer"), Reference: field(g, "reference"), Before: field(g, "before"),
		After: field(g, "after"), Description: text(g, "description"), Declares: field(g, "declares")}
	id, err := c.record(g, form)
	if err == nil {
		if form.Declares != "" {
			id = form.Declares
		}
		return done(changeURL(id), "recorded")
	}
	if form.Declares != "" {
		v, shown := c.changePageOf(form.Declares, &form)
		return refused(v, shown, err, changeFields...)
	}
	v, shown := c.changesWith(g, form)
	return refused(v, shown, err, changeFields...)
}

func (c *Console) record(g *gin.Context, form changeForm) (string, error) {
	at, err := c.when("at", form.At)
	if err != nil {
		return "", err
	}
	return c.o.Ledger.Record(g.Request.Context(), quality.Change{
		At: at, Features: listOf(form.Features), Layer: quality.Layer(form.Layer), Title: form.Title, Description: form.Description,
		Owner: form.Owner, Reviewer: form.Reviewer, Reference: form.Reference, Before: form.Before, After: form.After,
	})
}

// listOf reads names that are parted by commas.
func listOf(s string) (out []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

func (c *Console) ownChange(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	id := g.Param("id")
	if err := c.o.Ledger.Own(g.Request.Context(), id, field(g, "owner")); err != nil {
		v, shown := c.changePageOf(id, nil)
		return refused(v, shown, err, "owner")
	}
	return done(changeURL(id), "owned")
}

// Layers are the choices of the form.
func (changeForm) Layers() []string {
	var out []string
	for _, l := range quality.Layers() {
		out = append(out, string(l))
	}
	return out
}

// Observed reports whether the collector saw the change by itself.
func (v changeView) Observed() bool { return v.Source == quality.ChangeObserved }

// Took reports when it was recorded after it took effect; 0 when it was before.
func (v changeView) Took() time.Duration { return max(0, v.RecordedAt.Sub(v.At)) }

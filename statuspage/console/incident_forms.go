package console

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// noDesk refuses forms where nobody can act.
func (c *Console) noDesk() error {
	if c.o.Desk == nil {
		return quality.Errorf(quality.KindUnavailable, "incidents cannot be edited here")
	}
	return nil
}

// factPrefix begins the names of the fields of facts.
const factPrefix = "fact_"

// acts are what a form can do to an incident, with the role that it takes; those not named take a responder.
var acts = map[string]struct {
	do   func(*Console, *gin.Context, *incidentView) (done string, err error)
	role quality.Role
}{
	"post":       {(*Console).postUpdate, quality.RoleResponder},
	"publish":    {(*Console).publish, quality.RoleEditor},
	"veto":       {(*Console).veto, quality.RoleResponder},
	"own":        {(*Console).ownIncident, quality.RoleResponder},
	"correct":    {(*Console).correct, quality.RoleEditor},
	"postmortem": {(*Console).postmortem, quality.RoleEditor},
}

func (c *Console) actOnIncident(g *gin.Context) (view, error) {
	if err := c.noDesk(); err != nil {
		return view{}, err
	}
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	name := g.Param("act")
	act, ok := acts[name]
	if !ok {
		return view{}, quality.Errorf(quality.KindNotFound, "nothing at %.80q", g.Request.URL.Path)
	}
	if !c.o.May(g.Request.Context(), act.role) {
		return view{}, quality.Errorf(quality.KindForbidden, "this takes the role %s", act.role)
	}
	v, p, err := c.incidentOf(g)
	if err != nil {
		return v, err
	}
	code, err := act.do(c, g, &p)
	v.Page = &p
	switch {
	case err != nil:
		v, err = refused(v, nil, err, "status", "body", "reason", "next_update", "owner")
		if !p.shows(name) {
			return v, err
		}
		return scoped(v, name), err
	case code == "":
		return v, nil
	default:
		return done(incidentURL(p.ID)+"#"+name, code)
	}
}

// shows reports whether the page has the form of an act. Somebody else may have acted since the form was read.
func (v incidentView) shows(act string) bool {
	switch act {
	case "publish":
		return !v.Public()
	case "veto":
		return !v.Public() && v.Vetoed == nil
	case "postmortem":
		return !v.Open()
	default:
		return true
	}
}

// scoped gives the errors of a form its name: the page has several, whose fields have the same names.
func scoped(v view, form string) view {
	es := fieldErrors{}
	for name, text := range v.Errors {
		if name == "" {
			es[form] = text
			continue
		}
		es[form+"."+name] = text
	}
	v.Errors = es
	return v
}

// postUpdate posts an update, or shows what it would be.
func (c *Console) postUpdate(g *gin.Context, v *incidentView) (string, error) {
	f := postForm{Status: field(g, "status"), Body: text(g, "body"), Reason: field(g, "reason"), Next: field(g, "next_update"),
		Internal: field(g, "internal") != "", Facts: map[string]string{}}
	for name := range g.Request.PostForm {
		if key, ok := strings.CutPrefix(name, factPrefix); ok {
			f.Facts[key] = text(g, name)
		}
	}
	v.Post = f
	next, err := c.when("next_update", f.Next)
	if err != nil {
		return "", err
	}
	p := Post{Status: quality.IncidentStatus(f.Status), Body: f.Body, Facts: f.Facts, Internal: f.Internal, Reason: f.Reason, Next: next}
	ctx := g.Request.Context()
	switch field(g, "act") {
	case "fill":
		p.Body = ""
		fallthrough
	case "check":
		v.Post.Body, v.Lacks, err = c.o.Desk.Preview(ctx, v.ID, p)
		v.Previewed = err == nil
		return "", err
	default:
		return "posted", c.o.Desk.Post(ctx, v.ID, p)
	}
}

func (c *Console) publish(g *gin.Context, v *incidentView) (string, error) {
	v.Publish.Override, v.Publish.Reason = field(g, "override") != "", field(g, "reason")
	return "published", c.o.Desk.Publish(g.Request.Context(), v.ID, v.Publish.Override, v.Publish.Reason)
}

func (c *Console) veto(g *gin.Context, v *incidentView) (string, error) {
	v.Veto = field(g, "reason")
	return "vetoed", c.o.Desk.Veto(g.Request.Context(), v.ID, v.Veto)
}

func (c *Console) ownIncident(g *gin.Context, v *incidentView) (string, error) {
	owner := field(g, "owner")
	if owner == "" {
		return "", quality.Errorf(quality.KindInvalid, `field "owner": required`)
	}
	return "taken", c.o.Desk.Own(g.Request.Context(), v.ID, owner)
}

func (c *Console) correct(g *gin.Context, v *incidentView) (string, error) {
	return "corrected", c.o.Desk.Correct(g.Request.Context(), v.ID, field(g, "update"), text(g, "body"))
}

func (c *Console) postmortem(g *gin.Context, v *incidentView) (string, error) {
	v.Postmortem = text(g, "body")
	return "postmortem", c.o.Desk.WritePostmortem(g.Request.Context(), v.ID, v.Postmortem, field(g, "act") == "publish")
}

package console

import (
	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// keyList is the page of keys.
type keyList struct {
	Rows     []Key
	Scopes   []string
	Form     struct{ Name, Scopes, Features, Expires string }
	Token    string // of the key that was just made
	Made     string // its name
	Absent   bool
	Features []string
}

func (c *Console) keys(*gin.Context) (view, error) { return c.keysView(), nil }

func (c *Console) keysView() view {
	v := view{name: "keys", Title: "Keys", Section: "keys", Crumbs: []crumb{{"Overview", root}}}
	p := keyList{Absent: c.o.Keys == nil, Features: c.featureNames()}
	if c.o.Keys != nil {
		p.Rows, p.Scopes = c.o.Keys.List(), c.o.Keys.Scopes()
	}
	v.Page = &p
	return v
}

// createKey answers with the page itself: the token is shown this once, and belongs into no address.
func (c *Console) createKey(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	if c.o.Keys == nil {
		return view{}, quality.Errorf(quality.KindNotFound, "there are no keys here")
	}
	spec := KeySpec{Name: field(g, "name"), Scopes: listOf(joined(g, "scopes")), Features: listOf(field(g, "features"))}
	var err error
	var token string
	var made Key
	if spec.Expires, err = c.when("expires", field(g, "expires")); err == nil {
		made, token, err = c.o.Keys.Create(g.Request.Context(), spec)
	}
	v := c.keysView()
	p := v.Page.(*keyList)
	if err != nil {
		p.Form.Name, p.Form.Features, p.Form.Expires = spec.Name, field(g, "features"), field(g, "expires")
		return refused(v, nil, err, "name", "scopes", "features", "expires")
	}
	p.Token, p.Made = token, made.Name
	return v, nil
}

// joined reads all values of a field, such as of check boxes.
func joined(g *gin.Context, name string) (s string) {
	for _, x := range g.PostFormArray(name) {
		s += x + ","
	}
	return s
}

func (c *Console) revokeKey(g *gin.Context) (view, error) {
	if c.o.Keys == nil {
		return view{}, quality.Errorf(quality.KindNotFound, "there are no keys here")
	}
	if err := c.o.Keys.Revoke(g.Request.Context(), g.Param("id")); err != nil {
		return refused(c.keysView(), nil, err)
	}
	return done(root+"/keys", "revoked")
}

package evaluator

// pending are the scores of a baseline that is not full yet. Thousands of streams may be filling theirs at
// once, so what is the same in all is not kept.
type pending struct {
	Values  []float64
	Weights []float64 // nil while all are 1
	Strata  []string  // nil while all are empty
}

func (p *pending) len() int { return len(p.Values) }

func (p *pending) add(o observation) {
	n := len(p.Values)
	if o.Weight != 1 && p.Weights == nil {
		p.Weights = make([]float64, n, n+1)
		for i := range p.Weights {
			p.Weights[i] = 1
		}
	}
	if o.Stratum != "" && p.Strata == nil {
		p.Strata = make([]string, n, n+1)
	}
	p.Values = append(p.Values, o.Value)
	if p.Weights != nil {
		p.Weights = append(p.Weights, o.Weight)
	}
	if p.Strata != nil {
		p.Strata = append(p.Strata, o.Stratum)
	}
}

func (p *pending) at(i int) observation {
	o := observation{Value: p.Values[i], Weight: 1}
	if p.Weights != nil {
		o.Weight = p.Weights[i]
	}
	if p.Strata != nil {
		o.Stratum = p.Strata[i]
	}
	return o
}

// all unpacks the scores.
func (p *pending) all() []observation {
	out := make([]observation, p.len())
	for i := range out {
		out[i] = p.at(i)
	}
	return out
}

func (p *pending) fields(c *codec) {
	list(c, &p.Values)
	for i := range p.Values {
		c.float(&p.Values[i])
	}
	list(c, &p.Weights)
	for i := range p.Weights {
		c.float(&p.Weights[i])
	}
	list(c, &p.Strata)
	for i := range p.Strata {
		c.name(&p.Strata[i])
	}
	if n := len(p.Values); c.reading && (p.Weights != nil && len(p.Weights) != n || p.Strata != nil && len(p.Strata) != n) {
		*p, c.err = pending{}, errState
	}
}

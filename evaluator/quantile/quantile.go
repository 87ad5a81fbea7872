// Package quantile holds the quantiles of the distributions that 95 % intervals are made of. It leaves out what the
// intervals are of.
package quantile

import "math"

// Normal95 is the 97.5 % quantile of the normal distribution.
const Normal95 = 1.959963984540054

// Student95 is the 97.5 % quantile of Student's t with df degrees of freedom: exact to four digits up to 10, between
// whole numbers on a line, and from there on by the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5).
// Less than one degree of freedom counts as one.
func Student95(df float64) float64 {
	exact := [...]float64{12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281}
	if df = max(df, 1); df >= float64(len(exact)) {
		const z = Normal95
		z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
		return z + (z3+z)/(4*df) + (5*z5+16*z3+3*z)/(96*df*df) + (3*z7+19*z5+17*z3-15*z)/(384*df*df*df)
	}
	whole := math.Floor(df)
	lo, hi := exact[int(whole)-1], exact[int(whole)]
	return lo + (df-whole)*(hi-lo)
}

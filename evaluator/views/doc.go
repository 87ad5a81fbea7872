// Package views tells how a metric does over weeks, beside what its monitor says: this week against last
// week, and what is left of a quality objective's error budget.
//
// The figures are pure functions of sums by hour. Handler reads those from a store and serves them with the
// monitors' statuses. The package raises no alarm and keeps no state.
package views

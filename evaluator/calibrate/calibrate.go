// Package calibrate says how far a judge can be believed. It compares the marks of a judge with those of
// people, corrects the mean of a judge by few labels, and scores a fixed set of anchors again and again, so
// that a judge that has moved is told from a product that got worse.
//
// It owns the mathematics of agreement and correction, the schedule of anchors, and what is known of every
// judge. It leaves out how a judge asks its model, where scores, labels and states are kept, and who is told:
// these are small interfaces.
package calibrate

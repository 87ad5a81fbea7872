// Package private compares one customer with everyone: their quality against their own baseline, whether a
// regression hits them, and whom else it is confirmed for.
//
// It owns what may be said to a customer of streams and regressions: nothing that it returns is a figure of another
// customer. It draws nothing, checks no link and no login, and computes no verdict beyond what monitors have confirmed.
package private

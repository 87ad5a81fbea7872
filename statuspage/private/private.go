// Package private draws the page of one customer: their quality against their own baseline and against
// everyone's, whether a regression hits them, their incidents, and the uptime they share with everyone.
//
// It owns what a customer is told of their own traffic. Every figure it reads is asked for by that customer's
// name, and nothing that names another customer, or a slice that stands for one, is shown. It checks no link and no
// login itself, and computes no verdict beyond what monitors have confirmed.
package private

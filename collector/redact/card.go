package redact

import "strings"

// card finds a payment card's number that begins with the first group. Where one begins with a later
// group, the groups from there on are cut off, so that a phone number before it does not take a part.
func (sc *scan) card(d *digits) hit {
	if !sc.w.r.on[CreditCard] || d.total < 13 {
		return hit{}
	}
	from := 0
	for k := range d.n {
		if n := d.cardAt(k, from); n > 0 && (k > 0 || sc.cardMayBegin(d.groups[0].start)) {
			if k == 0 {
				return hit{d.groups[0].start, d.groups[n-1].end, CreditCard}
			}
			d.first(k)
			return hit{}
		}
		from += d.groups[k].size()
	}
	return hit{}
}

// cardMayBegin refuses the digits behind a decimal point.
func (sc *scan) cardMayBegin(i int) bool {
	c := sc.before(i)
	return c != '.' && c != ',' || i-2 < sc.done || !isDigit(sc.s[i-2])
}

// cardAt returns behind which group the card that begins with group k ends, 0 when none begins there.
// The digits of group k begin at from.
func (d *digits) cardAt(k, from int) int {
	total := 0
	for n := k; n < d.n && total < 19; n++ {
		total += d.groups[n].size()
		if total >= 13 && total <= 19 && d.cardForm(k, n+1) && isCard(d.value[from:from+total]) {
			return n + 1
		}
		if sep := d.groups[n].sep; sep != ' ' && sep != '-' && sep != '.' {
			return 0
		}
	}
	return 0
}

// cardForms are the ways in which the digits of cards are grouped.
const cardForms = " 4444 44441 44442 44443 465 464 4333 4441 88 4432 "

func (d *digits) cardForm(from, to int) bool {
	if to-from == 1 {
		return true
	}
	var form [maxGroups + 2]byte
	n := 1
	form[0] = ' '
	for _, g := range d.groups[from:to] {
		form[n] = '0' + byte(g.size())
		n++
	}
	form[n] = ' '
	return strings.Contains(cardForms, string(form[:n+1]))
}

func isCard(digits []byte) bool {
	return isIssued(digits) && luhn(digits) && !isEAN(digits)
}

// luhn checks the sum of all digits, each second from the right doubled.
func luhn(digits []byte) bool {
	sum := 0
	for i, c := range digits {
		v := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// isEAN reports whether the digits are an article number. Those of much of Europe and Japan begin with
// a 4, as cards do that had 13 digits once.
func isEAN(digits []byte) bool {
	if len(digits) != 13 {
		return false
	}
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * (1 + i%2*2)
	}
	return sum%10 == 0
}

// isIssued reports whether issuers give out numbers that begin so and have this length.
func isIssued(digits []byte) bool {
	prefix := 0
	for _, c := range digits[:6] {
		prefix = 10*prefix + int(c-'0')
	}
	n := len(digits)
	in := func(from, to int) bool { // both of the same number of digits
		p := prefix
		for p > to {
			p /= 10
		}
		return p >= from
	}
	switch digits[0] {
	case '2': // Mastercard, Mir
		return n == 16 && (in(2221, 2720) || in(2200, 2204))
	case '3': // American Express, Diners Club, JCB
		return n == 15 && (in(34, 34) || in(37, 37)) || n >= 14 && n != 15 && (in(300, 305) || in(36, 36) || in(38, 39)) || n >= 16 && in(3528, 3589)
	case '4': // Visa
		return n == 13 || n == 16 || n == 18 || n == 19
	case '5': // Mastercard, Maestro
		return n == 16 && in(51, 55) || n >= 16 && (in(50, 50) || in(56, 58))
	case '6': // Discover, UnionPay, Maestro, RuPay
		return n >= 16
	case '8': // UnionPay, RuPay
		return n >= 16 && in(81, 82)
	default: // Troy
		return n == 16 && in(9792, 9792)
	}
}

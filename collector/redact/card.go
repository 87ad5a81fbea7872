package redact

import "strings"

// card finds a payment card's number that begins with the first group.
func (sc *scan) card(d *digits) hit {
	if !sc.w.r.on[CreditCard] || d.total < 13 || !sc.cardMayBegin(d.groups[0].start) {
		return hit{}
	}
	total := 0
	for n := 1; n <= d.n && total < 19; n++ {
		total += d.groups[n-1].size()
		if total >= 13 && total <= 19 && d.cardForm(n) && isCard(d.value[:total]) {
			return hit{d.groups[0].start, d.groups[n-1].end, CreditCard}
		}
		if sep := d.groups[n-1].sep; sep != ' ' && sep != '-' && sep != '.' {
			break
		}
	}
	return hit{}
}

// cardWithin reports whether a card begins with one of the groups behind the first that a phone number is to have.
func (sc *scan) cardWithin(d *digits, n int) bool {
	for k := 1; k < n; k++ {
		size := d.groups[k].size()
		if size != 4 && size != 8 && size < 13 {
			continue // no form of cards begins so
		}
		if sc.card(sc.gather(&sc.w.within, d.groups[k].start)).found() {
			return true
		}
	}
	return false
}

// cardMayBegin refuses the digits behind a decimal point.
func (sc *scan) cardMayBegin(i int) bool {
	c := sc.before(i)
	return c != '.' && c != ',' || i-2 < sc.done || !isDigit(sc.s[i-2])
}

// cardForms are the ways in which the digits of cards are grouped.
const cardForms = " 4444 44441 44442 44443 465 464 4333 4441 88 4432 "

// cardForm reports whether the first n groups are one of them; digits without a break are.
func (d *digits) cardForm(n int) bool {
	if n == 1 {
		return true
	}
	var form [maxGroups + 2]byte
	for i, g := range d.groups[:n] {
		form[i+1] = '0' + byte(g.size())
	}
	form[0], form[n+1] = ' ', ' '
	return strings.Contains(cardForms, string(form[:n+2]))
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
		return n == 13 || n == 16 || n == 19
	case '5': // Mastercard, Maestro
		return n == 16 && in(51, 55) || n >= 16 && (in(50, 50) || in(56, 58))
	case '6': // Discover, UnionPay, Maestro, RuPay
		return n >= 16 && !in(61, 61) && !in(66, 66) && !in(69, 69)
	case '8': // UnionPay, RuPay
		return n >= 16 && in(81, 82)
	default: // Troy
		return n == 16 && in(9792, 9792)
	}
}

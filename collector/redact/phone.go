package redact

import "strings"

// Digits that a phone number has, with its country and without.
const (
	minPhone         = 8
	maxPhone         = 15
	minNational      = 9
	maxNational      = 12
	minSubscriber    = 7 // with so many behind the area, a further group is the text's
	minSaidPhone     = 7 // behind a word such as "phone"
	usualPhone       = 11
	usualPhoneAtMost = 13
)

// plusNumber finds a number that begins with the plus sign at i.
func (sc *scan) plusNumber(i int) hit {
	first := i + 1
	if sc.at(first) == '(' {
		first++
	}
	if !isDigit(sc.at(first)) || sc.wordBefore(i) || sc.before(i) == '+' {
		return hit{}
	}
	d := sc.gather(&sc.w.digits, first)
	n := d.international(0)
	if sc.before(i) == '(' && d.groups[0].sep == ')' {
		i--
	}
	return sc.phone(d, i, n)
}

// countryDigits holds how many digits numbers of a country have, where all have as many.
const countryDigits = " 1:11 7:11 31:11 32:11 33:11 34:11 41:11 44:12 45:10 47:10 48:11 61:11 91:12 "

// international returns how many groups are a number with its country, whose code begins with digit skip; 0 for none.
func (d *digits) international(skip int) int {
	if d.total <= skip || d.value[skip] == '0' || d.isDate() {
		return 0
	}
	most := d.mostDigits(skip)
	total, n := -skip, 0
	for n < d.n {
		size := d.groups[n].size()
		if d.isTrunkZero(n) {
			size = 0
		}
		if n > 0 && !d.continues(n, total, size, most) {
			break
		}
		total += size
		n++
	}
	if total < minPhone || total > most || d.value[skip] == '1' && (total != 11 || !d.isAmerican(skip+1)) {
		return 0
	}
	return n
}

// isTrunkZero reports whether group n is the zero in +49 (0)30, which is not dialled from abroad.
func (d *digits) isTrunkZero(n int) bool {
	return n == 1 && d.groups[1].size() == 1 && d.groups[0].sep == ')' && d.groups[1].sep == ')'
}

// continues reports whether a number of so many digits goes on with group n.
func (d *digits) continues(n, total, size, most int) bool {
	before := d.groups[n-1].size()
	switch {
	case total+size > most:
		return false
	case total < usualPhone:
		return true
	default:
		return size == before || size < before && before <= 4
	}
}

func (d *digits) mostDigits(skip int) int {
	for n := 1; n <= 2 && skip+n <= d.total; n++ {
		key := " " + string(d.value[skip:skip+n]) + ":"
		if at := strings.Index(countryDigits, key); at >= 0 {
			at += len(key)
			return int(countryDigits[at]-'0')*10 + int(countryDigits[at+1]-'0')
		}
	}
	if d.n == 1 || d.groups[0].size() > 4 {
		return maxPhone
	}
	return usualPhoneAtMost
}

// isAmerican reports whether the ten digits from i on can be a number of North America.
func (d *digits) isAmerican(i int) bool {
	return d.total >= i+10 && d.value[i] >= '2' && d.value[i+3] >= '2'
}

// areaNumber finds a number that begins with its area in parentheses at i, such as (030) 123-4567.
func (sc *scan) areaNumber(i int) hit {
	if !isDigit(sc.at(i + 1)) {
		return hit{}
	}
	d := sc.gather(&sc.w.digits, i+1)
	g := d.groups[0]
	if d.n < 2 || g.sep != ')' || sc.s[g.end] != ')' {
		return hit{}
	}
	n := 0
	switch area := g.size(); {
	case d.value[0] == '0' && d.value[1] != '0' && area >= 2 && area <= 5:
		n = d.national(minNational - 1)
	case area == 3 && d.value[0] >= '2' && (d.has(3, 3, 4) || d.has(3, 7)):
		n = d.groupsOf(10)
	case area == 2 && (d.has(2, 4, 4) || d.has(2, 5, 4)):
		n = 3
	}
	return sc.phone(d, i, n)
}

// phone returns the first n groups as a hit, unless none are or they belong to something else.
func (sc *scan) phone(d *digits, start, n int) hit {
	if n == 0 || !sc.phoneEnds(d.groups[n-1].end) {
		return hit{}
	}
	if sc.cardWithin(d, n) {
		return hit{}
	}
	return hit{start, d.groups[n-1].end, Phone}
}

// has reports whether the first groups have these sizes.
func (d *digits) has(sizes ...int) bool {
	if d.n < len(sizes) {
		return false
	}
	for i, size := range sizes {
		if d.groups[i].size() != size {
			return false
		}
	}
	return true
}

// groupsOf returns how many groups hold the first digits.
func (d *digits) groupsOf(digits int) int {
	n := 0
	for total := 0; total < digits && n < d.n; n++ {
		total += d.groups[n].size()
	}
	return n
}

// nationalPhone finds a number that begins with the first group.
func (sc *scan) nationalPhone(d *digits) hit {
	start := d.groups[0].start
	if !sc.phoneMayBegin(start) {
		return hit{}
	}
	n, said := sc.phoneGroups(d), sc.said(start)
	if said > 0 && n == 0 {
		n = d.saidGroups()
	}
	if said < 0 {
		return hit{}
	}
	return sc.phone(d, start, n)
}

// phoneGroups returns how many groups have the form of a phone number.
func (sc *scan) phoneGroups(d *digits) int {
	switch {
	case d.isDate():
		return 0
	case d.value[0] == '0' && d.value[1] == '0' && d.groups[0].size() > 1:
		return d.international(2)
	case d.value[0] == '0':
		return d.trunk()
	default:
		return sc.american(d)
	}
}

// trunk returns how many groups are a number that begins with the zero of calls within a country.
func (d *digits) trunk() int {
	switch area := d.groups[0].size(); {
	case area == 2:
		return d.shortArea()
	case area >= 3 && area <= 5:
		return d.national(minNational)
	default:
		return d.compact()
	}
}

// shortArea knows 01 23 45 67 89, 02 9876 5432 and 09 123 4567.
func (d *digits) shortArea() int {
	sep := d.groups[0].sep
	switch {
	case d.has(2, 2, 2, 2, 2) && d.allSeparated(5, sep):
		return 5
	case sep == ' ' && (d.has(2, 4, 4) || d.has(2, 3, 4)):
		return 3
	case sep == ' ' && (d.has(2, 7) || d.has(2, 8)):
		return 2
	default:
		return 0
	}
}

func (d *digits) allSeparated(n int, sep byte) bool {
	for _, g := range d.groups[:n-1] {
		if g.sep != sep {
			return false
		}
	}
	return true
}

// national returns how many groups are an area and a subscriber of least digits or more together.
func (d *digits) national(least int) int {
	area := d.groups[0].size()
	total, n := area, 1
	for n < d.n && total-area < minSubscriber {
		size, sep := d.groups[n].size(), d.groups[n-1].sep
		if size < 2 || total+size > maxNational || n > 1 && sep == ')' || sep == '.' && d.n < 3 {
			break
		}
		total += size
		n++
	}
	if n < 2 || total < least || d.isPostcode(n) || d.areTimes(n) || d.areOctets() {
		return 0
	}
	if n < d.n && d.groups[n].size() <= 4 && (d.groups[n-1].sep == '-' || d.groups[n-1].sep == '/') && !d.groups[n-1].wide {
		n++ // an extension
	}
	return n
}

// isPostcode tells 02134-1234 from phone numbers.
func (d *digits) isPostcode(n int) bool {
	return n == 2 && d.has(5, 4) && d.groups[0].sep == '-'
}

// areOctets tells 010.000.015.001 from phone numbers.
func (d *digits) areOctets() bool {
	return d.has(3, 3, 3, 3) && d.allSeparated(4, '.')
}

// areTimes tells 0900 1030 1200 from phone numbers.
func (d *digits) areTimes(n int) bool {
	for i, g := range d.groups[:n] {
		v := d.value[4*i:]
		if g.size() != 4 || string(v[:2]) > "23" || v[2] > '5' {
			return false
		}
	}
	return true
}

// compact knows mobile numbers without any separator.
func (d *digits) compact() int {
	v := string(d.value[:d.groups[0].size()])
	german := len(v) >= 11 && len(v) <= 12 && v[1] == '1' && v[2] >= '5' && v[2] <= '7'
	british := len(v) == 11 && v[1] == '7'
	french := len(v) == 10 && (v[1] == '6' || v[1] == '7')
	if german || british || french {
		return 1
	}
	return 0
}

// american returns how many groups are a number such as 555-123-4567 or 1-800-555-1234.
func (sc *scan) american(d *digits) int {
	from := 0
	if d.has(1, 3, 3, 4) && d.value[0] == '1' {
		from = 1
	} else if !d.has(3, 3, 4) {
		return 0
	}
	area, end := d.groups[from], from+3
	a, b, c := area.sep, d.groups[from+1].sep, d.groups[from+2].sep
	spaced := a == ' ' && b == ' '
	switch {
	case d.value[from] < '2' || a != b && b != '-':
		return 0
	case c != 0 && c == b && !d.groups[end-1].wide:
		return 0 // part of something longer
	case spaced && (d.value[from+3] < '2' || sc.digitsBefore(area.start)):
		return 0
	}
	return end
}

// digitsBefore reports whether a space and a digit stand before i.
func (sc *scan) digitsBefore(i int) bool {
	return i-2 >= sc.done && sc.s[i-1] == ' ' && isDigit(sc.s[i-2])
}

// saidGroups returns how many groups may be a number that the text calls one.
func (d *digits) saidGroups() int {
	total, n := 0, 0
	for n < d.n && total+d.groups[n].size() <= maxPhone && total < usualPhone {
		total += d.groups[n].size()
		n++
	}
	if total < minSaidPhone {
		return 0
	}
	return n
}

// isDate reports whether the first three groups are a date.
func (d *digits) isDate() bool {
	sep := d.groups[0].sep
	if d.n < 3 || sep == 0 || sep != d.groups[1].sep {
		return false
	}
	g := &d.groups
	switch a, b, c := g[0].size(), g[1].size(), g[2].size(); {
	case a == 4:
		return b <= 2 && c <= 2 && isYear(d.value[:])
	case a <= 2 && b <= 2 && c == 4:
		return isYear(d.value[a+b:])
	default:
		return false
	}
}

func isYear(v []byte) bool { return v[0] == '1' && v[1] == '9' || v[0] == '2' && v[1] == '0' }

// phoneMayBegin refuses numbers that go on to the left: parts of ids, paths, decimals and amounts.
func (sc *scan) phoneMayBegin(i int) bool {
	switch c := sc.before(i); c {
	case '#', '$', '_', '\\':
		return false
	case '.', ',', '-', '/', '+':
		return i-2 < sc.done || !isAlnum(sc.s[i-2])
	case ':': // of a time; a word before it announces a number
		return i-2 < sc.done || !isDigit(sc.s[i-2])
	default:
		// The last bytes of the signs of pound, yen and euro.
		return c != 0xa3 && c != 0xa5 && c != 0xac
	}
}

// phoneEnds reports whether a phone number may end at i: not within a word, a decimal or an address.
func (sc *scan) phoneEnds(i int) bool {
	switch c := sc.at(i); c {
	case 'x', 'e':
		return !isLetter(sc.at(i+1)) || strings.HasPrefix(sc.s[i:], "ext")
	case '.', ',':
		return !isDigit(sc.at(i + 1))
	default:
		return !isWord(c) && c != '@' && c != '%'
	}
}

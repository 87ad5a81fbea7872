package redact

import "strings"

// ibanLengths holds the countries that use IBANs, each with the length of its numbers.
const ibanLengths = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 " +
	"EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 " +
	"LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 " +
	"RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "

const maxIBAN = 34

// iban finds the number whose check digits begin at i, behind the two letters of its country.
func (sc *scan) iban(i int) hit {
	start := i - 2
	if !sc.w.r.on[IBAN] || start < sc.done || !isLetter(sc.s[start]) || !isDigit(sc.at(i+1)) || sc.wordBefore(start) {
		return hit{}
	}
	want := ibanLength(upper(sc.s[start]), upper(sc.s[start+1]))
	if want == 0 {
		return hit{}
	}
	var chars [maxIBAN]byte
	n, end := 0, start
	for n < want {
		c := sc.at(end)
		if isAlnum(c) {
			chars[n] = upper(c)
			n++
			end++
			continue
		}
		sep, size := separatorAt(sc.s, end)
		if sep != ' ' && sep != '-' || !isAlnum(sc.at(end+size)) {
			return hit{}
		}
		end += size
	}
	if isDigit(sc.at(end)) || !mod97(chars[:n]) {
		return hit{}
	}
	return hit{start, end, IBAN}
}

func ibanLength(a, b byte) int {
	at := strings.Index(ibanLengths, string([]byte{a, b}))
	if at < 0 {
		return 0
	}
	return int(ibanLengths[at+2]-'0')*10 + int(ibanLengths[at+3]-'0')
}

// mod97 reports whether the number, its first four characters put last and letters read as 10 to 35,
// leaves 1 when divided by 97.
func mod97(chars []byte) bool {
	rest := 0
	for i := range chars {
		c := chars[(i+4)%len(chars)]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

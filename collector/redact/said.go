package redact

import "strings"

// What the words before a number say about it. Words of fill are passed over.
const (
	phoneWords = " tel telefon telefono teléfono telephone téléphone telefoon telefone phone phones mobile mobil movil móvil portable " +
		"cell cellphone celular fax handy whatsapp sms rufnummer telefonnummer handynummer mobilnummer hotline callback "
	otherWords = " isbn issn ean gtin upc sku imei doi order orders invoice ticket case ref reference id ids article item serial version " +
		"bestellung bestellnummer rechnung rechnungsnummer auftrag auftragsnummer artikel artikelnummer kundennummer tracking "
	fillWords = " number numbers no nr num nummer numero número is ist es est at on under my me us our the new "
)

// Bounds of what is read to the left of a number.
const (
	maxWord     = 16
	maxWords    = 4
	maxBetween  = 4
	betweenText = " :.=\"'(-\t"
)

// said returns 1 when the words before i announce a phone number, -1 when they announce another, else 0.
func (sc *scan) said(i int) int {
	for range maxWords {
		for n := 0; i > sc.done && n < maxBetween && strings.IndexByte(betweenText, sc.s[i-1]) >= 0; n++ {
			i--
		}
		var word [maxWord + 2]byte
		at := len(word) - 1
		word[at] = ' '
		for i > sc.done && at > 1 && (isLetter(sc.s[i-1]) || sc.s[i-1] >= 0x80) {
			i--
			at--
			word[at] = lower(sc.s[i])
		}
		at--
		word[at] = ' '
		switch w := word[at:]; {
		case len(w) == 2:
			return 0
		case strings.Contains(phoneWords, string(w)):
			return 1
		case strings.Contains(otherWords, string(w)):
			return -1
		case !strings.Contains(fillWords, string(w)):
			return 0
		}
	}
	return 0
}

package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The notices about changes.
const (
	noticeUndeclared notice = "change.undeclared" // seen in the samples, and nobody recorded it
	noticeUnowned    notice = "change.unowned"    // recorded without an owner
)

// changeMessage is what receivers get about a change. Unlike incidents it is for the people who run the
// product, so it names models and prompts.
type changeMessage struct {
	Type      notice            `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Data      changeMessageData `json:"data"`
}

type changeMessageData struct {
	Change quality.Change `json:"change"`
	Text   string         `json:"text"`
}

func changeMessageOf(c quality.Change, titles map[string]string, loc *time.Location, now time.Time) changeMessage {
	m := changeMessage{Type: noticeUnowned, Timestamp: now, Data: changeMessageData{Change: c, Text: unownedText(c, loc)}}
	if c.Undeclared {
		m.Type, m.Data.Text = noticeUndeclared, undeclaredText(c, titles, loc)
	}
	return m
}

// changeKey is the same for the same change, and as short as an id and a message header should be.
func changeKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "chg_" + hex.EncodeToString(sum[:10])
}

// undeclaredText says what is seen, since when, in how much of the traffic, and what to do.
func undeclaredText(c quality.Change, titles map[string]string, loc *time.Location) string {
	text := fmt.Sprintf("The %s of %s changed and nobody recorded it", c.Layer, featuresText(c.Features, titles))
	if c.Before != "" {
		text += fmt.Sprintf(": from %s to %s", c.Before, c.After)
	} else {
		text += ": to " + c.After
	}
	return fmt.Sprintf("%s. First seen %s, in %s of its traffic since then (%d samples). %s Whoever made the change, please record it with its owner.",
		text, clock(c.FirstSeen, loc), shareText(c.Share), c.Samples, ownerText(c.Owner))
}

func shareText(share float64) string {
	if share < 0.01 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

func ownerText(owner string) string {
	if owner == "" {
		return "The feature has no owner."
	}
	return "The feature's owner is " + owner + "."
}

func featuresText(features []string, titles map[string]string) string {
	names := make([]string, len(features))
	for i, f := range features {
		if names[i] = titles[f]; names[i] == "" {
			names[i] = f
		}
	}
	if len(names) == 0 {
		return "every feature"
	}
	return strings.Join(names, ", ")
}

func unownedText(c quality.Change, loc *time.Location) string {
	return fmt.Sprintf("The change “%s” (%s, %s) has no owner. Please record who answers for it.", c.Title, c.Layer, clock(c.At, loc))
}

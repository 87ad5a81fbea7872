package subscribe

import "strings"

// maxChat bounds the text of a chat message, in bytes; the rest is behind the link.
const maxChat = 2500

// escape keeps a text from being read as marks of Slack.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackOf is a message in the form of an incoming webhook of Slack.
func slackOf(m *message) map[string]any {
	t := m.words.Say
	section := func(text string) map[string]any {
		return map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text}}
	}
	link := func(url, text string) string { return "<" + url + "|" + escape.Replace(text) + ">" }
	var blocks []map[string]any
	switch n := m.News; {
	case n != nil:
		blocks = append(blocks, section("*"+escape.Replace(n.Heading+": "+n.Name)+"*\n"+escape.Replace(facts(m))))
		if body := clip(n.Plain, maxChat); body != "" {
			blocks = append(blocks, section(escape.Replace(body)))
		}
		blocks = append(blocks, section(link(n.URL, t("subscribe.details"))+" · "+link(m.Links.Manage, t("subscribe.chat.change"))))
	case m.Told == tellConfirm:
		blocks = append(blocks, section(escape.Replace(question(m))), section(link(m.Links.Confirm, t("subscribe.chat.confirm"))))
	default:
		blocks = append(blocks, section(escape.Replace(already(m))), section(link(m.Links.Manage, t("subscribe.chat.change"))))
	}
	return map[string]any{"text": escape.Replace(m.Subject), "blocks": blocks, "unfurl_links": false}
}

// teamsOf is a message in the form of a Workflows webhook of Teams: an Adaptive Card.
func teamsOf(m *message) map[string]any {
	t := m.words.Say
	text := func(s string) map[string]any {
		return map[string]any{"type": "TextBlock", "text": s, "wrap": true}
	}
	open := func(title, url string) map[string]any {
		return map[string]any{"type": "Action.OpenUrl", "title": title, "url": url}
	}
	heading := text(m.Subject)
	heading["weight"], heading["size"] = "Bolder", "Medium"
	body, actions := []map[string]any{heading}, []map[string]any{}
	switch n := m.News; {
	case n != nil:
		body = append(body, text(facts(m)))
		if s := clip(n.Plain, maxChat); s != "" {
			body = append(body, text(s))
		}
		actions = append(actions, open(t("subscribe.details"), n.URL), open(t("subscribe.chat.change"), m.Links.Manage))
	case m.Told == tellConfirm:
		body, actions = append(body, text(question(m))), append(actions, open(t("subscribe.chat.confirm"), m.Links.Confirm))
	default:
		body, actions = append(body, text(already(m))), append(actions, open(t("subscribe.chat.change"), m.Links.Manage))
	}
	return map[string]any{"type": "message", "attachments": []map[string]any{{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil,
		"content": map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"body": body, "actions": actions},
	}}}
}

// facts are the lines under a heading.
func facts(m *message) string {
	t, n := m.words.Say, m.News
	lines := []string{}
	if n.Features != "" {
		lines = append(lines, t("subscribe.affects")+": "+n.Features)
	}
	lines = append(lines, n.When+": "+n.WhenText)
	if n.Next != "" {
		lines = append(lines, t("subscribe.next")+": "+n.Next)
	}
	return strings.Join(lines, "\n")
}

func question(m *message) string {
	return m.words.Say("subscribe.chat.question", "Choice", m.Choice, "Title", m.Title)
}

func already(m *message) string { return m.words.Say("subscribe.chat.already", "Title", m.Title) }

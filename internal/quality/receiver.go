package quality

// Receiver is someone or something that is told about incidents. Exactly one channel is set.
type Receiver struct {
	Name    string           `yaml:"name"`
	Webhook *WebhookReceiver `yaml:"webhook"`
}

// WebhookReceiver takes messages by HTTP POST, signed by the rules of Standard Webhooks.
type WebhookReceiver struct {
	URL    string `yaml:"url"`
	Secret string `yaml:"secret"` // "whsec_" and the base64 of 24 to 64 bytes; never logged
}

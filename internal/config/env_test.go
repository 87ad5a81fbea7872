package config

// SecretWord stands for what must never be shown: a password in the file, or what a variable holds.
const SecretWord = "s3cret-word"

// signingSecret has the form of every secret that is checked.
const signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// Variables returns the environment of the tests: all that testdata/full.yaml, the documentation and
// their own files ask for.
func Variables() map[string]string {
	return map[string]string{
		"WORD": SecretWord, "NUMBER": "7", "EMPTY": "",
		"CLICKHOUSE_PASSWORD": SecretWord, "PROBE_TOKEN": SecretWord, "BOT_KEY": SecretWord, "JUDGE_KEY": SecretWord, "MAIL_PASSWORD": SecretWord, "ROUTING_KEY": SecretWord + "-" + SecretWord,
		"GITHUB_SECRET": signingSecret, "OIDC_SECRET": SecretWord, "GITLAB_SECRET": signingSecret, "WEBHOOK_SECRET": signingSecret, "ON_CALL_SECRET": signingSecret,
	}
}

// LookupVariable looks up one of Variables.
func LookupVariable(name string) (string, bool) {
	v, ok := Variables()[name]
	return v, ok
}

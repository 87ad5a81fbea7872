package hooks

import (
	"fmt"
	"net/http"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/asgood-dev/asgood/internal/quality"
)

func errMissing(header string) error {
	return quality.Errorf(quality.KindInvalid, "%s is missing", header)
}

func errIncomplete(fields string) error {
	return quality.Errorf(quality.KindInvalid, "body is incomplete: want %s", fields)
}

// VerifyGitLab checks X-Gitlab-Token or, when the secret is a signing token ("whsec_..."), the signature by
// the rules of Standard Webhooks, which is good for five minutes.
func VerifyGitLab(secret string, h http.Header, body []byte) error {
	if !strings.HasPrefix(secret, "whsec_") {
		if !sameSecret(h.Get("X-Gitlab-Token"), secret) {
			return errForbidden("X-Gitlab-Token is not the secret that is configured here")
		}
		return nil
	}
	verifier, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return errForbidden("the signing token that is configured here cannot be used")
	}
	if err := verifier.Verify(body, h); err != nil {
		return errForbidden("webhook-signature does not fit the body, the time and the signing token that is configured here")
	}
	return nil
}

type gitlabBody struct {
	Kind        string `json:"object_kind"`
	Status      string `json:"status"`
	ChangedAt   string `json:"status_changed_at"`
	ID          uint64 `json:"deployment_id"`
	URL         string `json:"deployable_url"`
	Environment string `json:"environment"`
	Tier        string `json:"environment_tier"`
	Project     struct {
		Path string `json:"path_with_namespace"`
	} `json:"project"`
	Ref  string `json:"ref"`
	SHA  string `json:"short_sha"`
	User struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"user"`
	CommitURL   string `json:"commit_url"`
	CommitTitle string `json:"commit_title"`
}

// person is empty for the robot of a project's or group's access token.
func (b *gitlabBody) person() string {
	name := b.User.Username
	if strings.HasPrefix(name, "project_") && strings.Contains(name, "_bot") || strings.HasPrefix(name, "group_") && strings.Contains(name, "_bot") {
		return ""
	}
	return first(name, b.User.Name)
}

// GitLab reads a deployment event of GitLab. An Ignored says why something else is no change.
func GitLab(body []byte) (Deploy, error) {
	var b gitlabBody
	if err := decode(body, &b); err != nil {
		return Deploy{}, err
	}
	if b.Kind != "deployment" {
		return Deploy{}, Ignored(fmt.Sprintf("event %.40q is no change", b.Kind))
	}
	if b.ID == 0 || b.Project.Path == "" {
		return Deploy{}, errIncomplete("deployment_id and project.path_with_namespace")
	}
	d := Deploy{
		ID: fmt.Sprintf("gitlab/%s/deployment/%d", b.Project.Path, b.ID), At: timeOf(b.ChangedAt), Repository: b.Project.Path,
		Environment: first(b.Environment, "production"), Production: b.Tier == "production",
		Title:       fmt.Sprintf("deploy of %s to %s", first(b.Ref, b.SHA), first(b.Environment, "production")),
		Description: b.CommitTitle, Owner: b.person(), Reference: link(b.URL, b.CommitURL), After: b.SHA,
	}
	switch b.Status {
	case "running":
		d.Stage = Started
	case "success":
		d.Stage = Done
	case "failed", "canceled":
		d.Stage = Failed
	default:
		return d, Ignored(fmt.Sprintf("status %.40q is neither the beginning nor the end of a deployment", b.Status))
	}
	d.fit()
	return d, nil
}

package hooks

import (
	"fmt"
	"strings"
)

type githubUser struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Type  string `json:"type"`
}

// person is empty for a robot, which answers for nothing.
func (u githubUser) person() string {
	if u.Type == "Bot" || strings.HasSuffix(u.Login, "[bot]") {
		return ""
	}
	return first(u.Login, u.Name)
}

type githubDeployment struct {
	ID          uint64     `json:"id"`
	SHA         string     `json:"sha"`
	Ref         string     `json:"ref"`
	Task        string     `json:"task"`
	Environment string     `json:"environment"`
	Description string     `json:"description"`
	Production  bool       `json:"production_environment"`
	CreatedAt   string     `json:"created_at"`
	Creator     githubUser `json:"creator"`
}

type githubBody struct {
	Action     string            `json:"action"`
	Deployment *githubDeployment `json:"deployment"`
	Status     *struct {
		State          string `json:"state"`
		CreatedAt      string `json:"created_at"`
		LogURL         string `json:"log_url"`
		TargetURL      string `json:"target_url"`
		EnvironmentURL string `json:"environment_url"`
	} `json:"deployment_status"`
	Release *struct {
		ID          uint64     `json:"id"`
		TagName     string     `json:"tag_name"`
		Name        string     `json:"name"`
		Body        string     `json:"body"`
		URL         string     `json:"html_url"`
		PublishedAt string     `json:"published_at"`
		Prerelease  bool       `json:"prerelease"`
		Author      githubUser `json:"author"`
	} `json:"release"`
	Repository struct {
		FullName      string `json:"full_name"`
		URL           string `json:"html_url"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	Sender githubUser `json:"sender"`

	// of a push
	Ref        string     `json:"ref"`
	Before     string     `json:"before"`
	After      string     `json:"after"`
	Compare    string     `json:"compare"`
	Deleted    bool       `json:"deleted"`
	Pusher     githubUser `json:"pusher"`
	HeadCommit *struct {
		Message   string `json:"message"`
		Timestamp string `json:"timestamp"`
	} `json:"head_commit"`
}

// GitHub reads a webhook of GitHub: deployment, deployment_status, release, and, where push is true, push
// to the default branch. An Ignored says why something else is no change.
func GitHub(event string, body []byte, push bool) (Deploy, error) {
	var b githubBody
	if event == "" {
		return Deploy{}, errMissing("X-GitHub-Event")
	}
	if err := decode(body, &b); err != nil {
		return Deploy{}, err
	}
	d, err := b.deploy(event, push)
	d.Repository = b.Repository.FullName
	d.fit()
	return d, err
}

func (b *githubBody) deploy(event string, push bool) (Deploy, error) {
	switch event {
	case "deployment":
		return b.deployment()
	case "deployment_status":
		return b.status()
	case "release":
		return b.release()
	case "push":
		if !push {
			return Deploy{}, Ignored("pushes are not taken: set changes.github.push if a push takes effect by itself")
		}
		return b.push()
	case "ping":
		return Deploy{}, Ignored("pong")
	default:
		return Deploy{}, Ignored(fmt.Sprintf("event %.40q is no change", event))
	}
}

func (b *githubBody) deployment() (Deploy, error) {
	x := b.Deployment
	if x == nil || x.ID == 0 || b.Repository.FullName == "" {
		return Deploy{}, errIncomplete("deployment.id and repository.full_name")
	}
	where := first(x.Environment, "production")
	return Deploy{
		ID: fmt.Sprintf("github/%s/deployment/%d", b.Repository.FullName, x.ID), Stage: Started, At: timeOf(x.CreatedAt),
		Environment: where, Production: x.Production,
		Title:       fmt.Sprintf("%s of %s to %s", first(x.Task, "deploy"), first(x.Ref, shortSHA(x.SHA)), where),
		Description: x.Description, Owner: x.Creator.person(), After: shortSHA(x.SHA),
		Reference: link(b.Repository.URL + "/commit/" + x.SHA),
	}, nil
}

// status follows a deployment. Only its end is news: the beginning came with the deployment.
func (b *githubBody) status() (Deploy, error) {
	d, err := b.deployment()
	if err != nil {
		return d, err
	}
	if b.Status == nil {
		return d, errIncomplete("deployment_status")
	}
	switch b.Status.State {
	case "success":
		d.Stage = Done
	case "failure", "error":
		d.Stage = Failed
	default:
		return d, Ignored(fmt.Sprintf("status %.40q is not the end of a deployment", b.Status.State))
	}
	d.At = firstTime(b.Status.CreatedAt, b.Deployment.CreatedAt)
	d.Reference = link(b.Status.LogURL, b.Status.TargetURL, d.Reference)
	return d, nil
}

func (b *githubBody) release() (Deploy, error) {
	x := b.Release
	switch {
	case x == nil || x.ID == 0 || b.Repository.FullName == "":
		return Deploy{}, errIncomplete("release.id and repository.full_name")
	case b.Action != "published":
		return Deploy{}, Ignored(fmt.Sprintf("a release that is %.40q is no change", b.Action))
	case x.Prerelease:
		return Deploy{}, Ignored("a pre-release is no change")
	}
	return Deploy{
		ID: fmt.Sprintf("github/%s/release/%d", b.Repository.FullName, x.ID), Stage: Done, At: timeOf(x.PublishedAt),
		Title: "release " + first(x.Name, x.TagName), Description: x.Body, Owner: x.Author.person(), Reference: link(x.URL), After: x.TagName,
	}, nil
}

func (b *githubBody) push() (Deploy, error) {
	branch, isBranch := strings.CutPrefix(b.Ref, "refs/heads/")
	switch {
	case b.Repository.FullName == "" || b.After == "":
		return Deploy{}, errIncomplete("after and repository.full_name")
	case !isBranch || branch != b.Repository.DefaultBranch || b.Deleted:
		return Deploy{}, Ignored("only a push to the default branch is a change")
	}
	d := Deploy{
		ID: fmt.Sprintf("github/%s/push/%s", b.Repository.FullName, b.After), Stage: Done, Title: "push to " + branch,
		Owner: first(b.Sender.person(), b.Pusher.person()), Reference: link(b.Compare), Before: shortSHA(b.Before), After: shortSHA(b.After),
	}
	if b.HeadCommit != nil {
		subject, _, _ := strings.Cut(b.HeadCommit.Message, "\n")
		d.Title, d.Description, d.At = first(subject, d.Title), b.HeadCommit.Message, timeOf(b.HeadCommit.Timestamp)
	}
	return d, nil
}

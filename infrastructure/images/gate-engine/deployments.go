package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	log "github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The Applications of a tree, found one after the other.
type deployments struct {
	root         string
	homes        map[string]bool // addresses of this repository
	seen         map[string]bool
	applications []json.RawMessage
	problems     []problem
}

func newDeployments(root string) *deployments {
	return &deployments{root: root, homes: map[string]bool{}, seen: map[string]bool{}}
}

// What Applications that are applied by hand deploy from is this repository.
func (d *deployments) learnHomes(places []place) {
	for _, made := range places {
		for _, object := range made.Objects {
			var app struct {
				Kind string
				Spec struct{ Source struct{ RepoURL string } }
			}
			if json.Unmarshal(object, &app) == nil && app.Kind == "Application" && app.Spec.Source.RepoURL != "" {
				d.homes[app.Spec.Source.RepoURL] = true
			}
		}
	}
}

// The folders that the Applications and ApplicationSets of a place deploy and that were not deployed before.
func (d *deployments) in(made place) []source {
	sources := []source{}
	for _, object := range made.Objects {
		var meta metav1.TypeMeta
		if json.Unmarshal(object, &meta) != nil || !strings.HasPrefix(meta.APIVersion, "argoproj.io/") {
			continue
		}
		where := made.Path + ": " + nameOf(object)
		switch meta.Kind {
		case "Application":
			var app v1alpha1.Application
			if err := json.Unmarshal(object, &app); err != nil {
				d.wrong("unreadable", where, err.Error())
			} else {
				sources = append(sources, d.deploy(app, where)...)
			}
		case "ApplicationSet":
			var set v1alpha1.ApplicationSet
			if err := json.Unmarshal(object, &set); err != nil {
				d.wrong("unreadable", where, err.Error())
			} else {
				sources = append(sources, d.generate(set, where)...)
			}
		}
	}
	return sources
}

func (d *deployments) wrong(rule, where, message string) {
	d.problems = append(d.problems, problem{rule, where, "", 0, strings.Join(strings.Fields(message), " ")})
}

func (d *deployments) deploy(app v1alpha1.Application, where string) []source {
	content, err := json.Marshal(app)
	if err != nil {
		d.wrong("unreadable", where, err.Error())
		return nil
	}
	d.applications = append(d.applications, content)
	from := app.Spec.Source
	switch {
	case len(app.Spec.Sources) > 0:
		d.wrong("unseen", where, "its folder should be all that it is made from, but it sets sources")
	case app.Spec.SourceHydrator != nil:
		d.wrong("unseen", where, "its folder should be all that it is made from, but it sets sourceHydrator")
	case from == nil || from.Chart != "" || !d.homes[from.RepoURL]:
		address := "nothing"
		if from != nil {
			address = strings.TrimSpace(from.RepoURL + " " + from.Chart)
		}
		d.wrong("elsewhere", where, "its source should be a folder of this repository, but is "+address)
	case d.seen[path.Clean(from.Path)]: // two Applications of one folder are another stage's to find
	default:
		d.seen[path.Clean(from.Path)] = true
		return []source{{path.Clean(from.Path), app.Name, app.Spec.Destination.Namespace, *from}}
	}
	return nil
}

func (d *deployments) generate(set v1alpha1.ApplicationSet, where string) []source {
	known := map[string]generators.Generator{
		"List":        generators.NewListGenerator(),
		"Git":         generators.NewGitGenerator(checkout{d.root, d.homes}, set.Namespace),
		"PullRequest": anyPullRequest{},
	}
	nested := map[string]generators.Generator{"List": known["List"], "Git": known["Git"]}
	known["Matrix"] = generators.NewMatrixGenerator(nested)
	known["Merge"] = generators.NewMergeGenerator(nested)
	for i := range set.Spec.Generators {
		for _, generator := range generators.GetRelevantGenerators(&set.Spec.Generators[i], known) {
			if generator == nil {
				d.wrong("unseen", where, "its generators should need nothing but this repository, but one asks elsewhere")
				return nil
			}
		}
	}
	apps, _, err := template.GenerateApplications(log.NewEntry(log.StandardLogger()), set, known, &utils.Render{}, projects{})
	if err != nil {
		d.wrong("unrenderable", where, err.Error())
	}
	sources := []source{}
	for _, app := range apps {
		app.TypeMeta = metav1.TypeMeta{APIVersion: "argoproj.io/v1alpha1", Kind: "Application"}
		sources = append(sources, d.deploy(app, fmt.Sprintf("%s: Application %s", where, app.Name))...)
	}
	return sources
}

// Git generators ask whether an AppProject wants commits to be signed. No file of a tree shows who has signed it.
type projects struct{ client.Client }

func (projects) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}

// Stands for a pull request, whichever is open: its number and commit decide about names alone.
type anyPullRequest struct{}

func (anyPullRequest) GenerateParams(_ *v1alpha1.ApplicationSetGenerator, _ *v1alpha1.ApplicationSet, _ client.Client) ([]map[string]any, error) {
	sha := strings.Repeat("0", 40)
	return []map[string]any{{
		"number": "0", "title": "any", "branch": "any", "branch_slug": "any", "target_branch": "main",
		"target_branch_slug": "main", "head_sha": sha, "head_short_sha": sha[:8], "head_short_sha_7": sha[:7],
		"author": "any", "labels": []string{},
	}}, nil
}

func (anyPullRequest) GetRequeueAfter(*v1alpha1.ApplicationSetGenerator) time.Duration {
	return 0
}

func (anyPullRequest) GetTemplate(of *v1alpha1.ApplicationSetGenerator) *v1alpha1.ApplicationSetTemplate {
	return &of.PullRequest.Template
}

// This checkout as the repo-server shows a repository to the ApplicationSet controller.
type checkout struct {
	root  string
	homes map[string]bool
}

func (c checkout) GetDirectories(_ context.Context, url, _, _ string, _, _ bool) ([]string, error) {
	if !c.homes[url] {
		return nil, fmt.Errorf("its folders should be of this repository, but are of %s", url)
	}
	var folders []string
	err := filepath.WalkDir(c.root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case file != c.root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		}
		if relative, err := filepath.Rel(c.root, file); err == nil && relative != "." {
			folders = append(folders, relative)
		}
		return nil
	})
	return folders, err
}

func (c checkout) GetFiles(_ context.Context, url, _, _, pattern string, _, _ bool) (map[string][]byte, error) {
	if !c.homes[url] {
		return nil, fmt.Errorf("its files should be of this repository, but are of %s", url)
	}
	names, err := fs.Glob(os.DirFS(c.root), pattern)
	found := map[string][]byte{}
	for _, name := range names {
		content, wrong := os.ReadFile(filepath.Join(c.root, name))
		found[name], err = content, errors.Join(err, wrong)
	}
	return found, err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	apppath "github.com/argoproj/argo-cd/v3/util/app/path"
	"github.com/argoproj/argo-cd/v3/util/git"
	utilio "github.com/argoproj/argo-cd/v3/util/io"
	"github.com/argoproj/gitops-engine/pkg/sync/hook"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type renderRequest struct {
	Trees       []tree   `json:"trees"`
	KubeVersion string   `json:"kubeVersion"` // as Argo CD asks the cluster for it: 1.31
	APIVersions []string `json:"apiVersions"` // without those of CustomResourceDefinitions in the tree
}

// A checkout that may be changed: it is a copy.
type tree struct {
	Root   string   `json:"root"`
	ByHand []string `json:"byHand"` // folders that somebody applies, Argo CD's own among them
}

type renderResponse struct {
	Trees []rendered `json:"trees"`
}

type rendered struct {
	Places       []place           `json:"places"`
	Applications []json.RawMessage `json:"applications"` // those of ApplicationSets among them
	Problems     []problem         `json:"problems"`
}

// What comes of a folder, which nothing else comes of.
type place struct {
	Path     string            `json:"path"`
	Type     string            `json:"type"`
	Objects  []json.RawMessage `json:"objects"`
	Origins  []string          `json:"origins"` // file and line of each object, as far as they are known
	Problems []problem         `json:"problems"`
}

type problem struct {
	Rule    string `json:"rule"`
	Where   string `json:"where"` // folder, or kind and name
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// A folder, and how it is to be rendered.
type source struct {
	path      string
	app       string
	namespace string
	options   v1alpha1.ApplicationSource
}

type renderer struct {
	root        string
	kubeVersion string
	apiVersions []string
	temporary   string
	rendered    *memory
}

func renderTrees(request renderRequest) (renderResponse, error) {
	response := renderResponse{}
	temporary, err := os.MkdirTemp("", "gate-engine")
	if err != nil {
		return response, err
	}
	defer os.RemoveAll(temporary)
	// What is elsewhere is not in the commit. Programs that would fetch it find no way out.
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Setenv("GIT_ALLOW_PROTOCOL", "none")
	known := &memory{made: map[string][]string{}}
	for _, one := range request.Trees {
		root, err := filepath.EvalSymlinks(one.Root)
		if err != nil {
			return response, err
		}
		r := renderer{root, request.KubeVersion, request.APIVersions, temporary, known}
		response.Trees = append(response.Trees, r.tree(one.ByHand))
	}
	return response, nil
}

// Folders that are applied by hand, what their Applications deploy, and what Applications among that deploy.
func (r *renderer) tree(byHand []string) rendered {
	result := rendered{Places: []place{}, Applications: []json.RawMessage{}, Problems: r.removeLinksOutside()}
	found := newDeployments(r.root)
	sources, wave := []source{}, []source{}
	for _, path := range byHand {
		wave = append(wave, source{path: path, app: filepath.Base(path)})
	}
	for len(wave) > 0 {
		places := r.all(wave)
		if len(sources) == 0 {
			found.learnHomes(places)
		}
		sources, wave = append(sources, wave...), nil
		result.Places = append(result.Places, places...)
		for _, made := range places {
			wave = append(wave, found.in(made)...)
		}
	}
	r.renderAgain(sources, result.Places)
	result.Applications = append(result.Applications, found.applications...)
	result.Problems = append(result.Problems, found.problems...)
	return result
}

// Argo CD deploys nothing of a repository with such a link. Here it is one finding, and the rest is judged.
func (r *renderer) removeLinksOutside() []problem {
	problems := []problem{}
	for {
		var outside *apppath.OutOfBoundsSymlinkError
		if err := apppath.CheckOutOfBoundsSymlinks(r.root); !errors.As(err, &outside) {
			if err != nil {
				problems = append(problems, problem{"unreadable", ".", "", 0, r.short(err)})
			}
			return problems
		}
		target, _ := os.Readlink(filepath.Join(r.root, outside.File))
		message := fmt.Sprintf("a link should stay in the repository, but leads to %s", target)
		problems = append(problems, problem{"link", filepath.Dir(outside.File), outside.File, 0, message})
		if err := os.Remove(filepath.Join(r.root, outside.File)); err != nil {
			return append(problems, problem{"link", filepath.Dir(outside.File), outside.File, 0, err.Error()})
		}
	}
}

// Charts ask which kinds there are; in the cluster there are those of the whole tree.
func (r *renderer) renderAgain(sources []source, places []place) {
	more := definedVersions(places)
	if len(more) == 0 {
		return
	}
	r.apiVersions = append(append([]string{}, r.apiVersions...), more...)
	charts, at := []source{}, []int{}
	for i, made := range places {
		if made.Type == string(v1alpha1.ApplicationSourceTypeHelm) {
			charts, at = append(charts, sources[i]), append(at, i)
		}
	}
	for i, made := range r.all(charts) {
		places[at[i]] = made
	}
}

func (r *renderer) all(sources []source) []place {
	places := make([]place, len(sources))
	next, wait := make(chan int), sync.WaitGroup{}
	for range runtime.NumCPU() + 1 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				places[i] = r.one(sources[i])
			}
		}()
	}
	for i := range sources {
		next <- i
	}
	close(next)
	wait.Wait()
	return places
}

func (r *renderer) one(from source) (made place) {
	made = place{Path: from.path, Objects: []json.RawMessage{}, Origins: []string{}, Problems: []problem{}}
	defer func() {
		if reason := recover(); reason != nil {
			made.Problems = append(made.Problems, problem{"unrenderable", from.path, "", 0, fmt.Sprint(reason)})
		}
	}()
	folder, err := apppath.Path(r.root, from.path)
	if err != nil {
		made.Problems = append(made.Problems, problem{"no-folder", from.path, "", 0, r.short(err)})
		return made
	}
	merged := from.options.DeepCopy()
	kind, err := repository.GetAppSourceType(context.Background(), merged, folder, r.root, from.app, nil, nil, nil)
	if err != nil {
		made.Problems = append(made.Problems, problem{"unrenderable", from.path, "", 0, r.short(err)})
		return made
	}
	made.Type = string(kind)
	files := r.look(kind, merged, from.path)
	if made.Problems = append(made.Problems, files.problems...); len(files.problems) > 0 {
		return made
	}
	manifests, err := r.manifests(kind, from, merged, folder)
	if err != nil {
		made.Problems = append(made.Problems, problem{"unrenderable", from.path, "", 0, r.short(err)})
		return made
	}
	for _, manifest := range manifests {
		if neverRuns(manifest) {
			continue
		}
		made.Objects = append(made.Objects, json.RawMessage(manifest))
		made.Origins = append(made.Origins, files.origin(manifest))
	}
	return made
}

// Of the hooks of Helm Argo CD has not all, such as that of tests: an object for those is not made. Those for the end of
// an Application the package of hooks does not know; Argo CD's controller makes them by itself.
func neverRuns(manifest string) bool {
	object := &unstructured.Unstructured{}
	if object.UnmarshalJSON([]byte(manifest)) != nil || !hook.IsHook(object) || len(hook.Types(object)) > 0 {
		return false
	}
	ends := func(annotation, word string) bool {
		words := strings.Split(object.GetAnnotations()[annotation], ",")
		return slices.ContainsFunc(words, func(one string) bool { return strings.TrimSpace(one) == word })
	}
	return !ends("argocd.argoproj.io/hook", "PostDelete") && !ends("helm.sh/hook", "post-delete")
}

func (r *renderer) manifests(
	kind v1alpha1.ApplicationSourceType, from source, merged *v1alpha1.ApplicationSource, folder string,
) ([]string, error) {
	key := ""
	if kind != v1alpha1.ApplicationSourceTypeHelm { // whose values may be elsewhere
		key = r.key(from, merged, folder)
	}
	if manifests, known := r.rendered.recall(key); known {
		return manifests, nil
	}
	manifests, err := r.generate(from, folder)
	if err == nil && key != "" {
		r.rendered.keep(key, manifests)
	}
	return manifests, err
}

func (r *renderer) generate(from source, folder string) ([]string, error) {
	options := from.options.DeepCopy()
	request := apiclient.ManifestRequest{
		Repo:              &v1alpha1.Repository{Repo: options.RepoURL},
		AppName:           from.app,
		Namespace:         from.namespace,
		ApplicationSource: options,
		KubeVersion:       r.kubeVersion,
		ApiVersions:       r.apiVersions,
		NoCache:           true,
	}
	response, err := repository.GenerateManifests(context.Background(), folder, r.root, options.TargetRevision, &request,
		false, &git.NoopCredsStore{}, resource.MustParse("0"), utilio.NewRandomizedTempPaths(r.temporary))
	if err != nil {
		return nil, err
	}
	return response.Manifests, nil
}

func (r *renderer) short(err error) string {
	said := strings.ReplaceAll(err.Error(), r.root+"/", "")
	return strings.Join(strings.Fields(strings.ReplaceAll(said, r.root, ".")), " ")
}

// As Helm is told them: group and version, and with the kind.
func definedVersions(places []place) []string {
	versions, seen := []string{}, map[string]bool{}
	for _, made := range places {
		for _, object := range made.Objects {
			var definition struct {
				Kind string
				Spec struct {
					Group    string
					Names    struct{ Kind string }
					Versions []struct {
						Name   string
						Served bool
					}
				}
			}
			if json.Unmarshal(object, &definition) != nil || definition.Kind != "CustomResourceDefinition" {
				continue
			}
			for _, version := range definition.Spec.Versions {
				full := definition.Spec.Group + "/" + version.Name
				for _, name := range []string{full, full + "/" + definition.Spec.Names.Kind} {
					if version.Served && !seen[name] {
						seen[name] = true
						versions = append(versions, name)
					}
				}
			}
		}
	}
	return versions
}

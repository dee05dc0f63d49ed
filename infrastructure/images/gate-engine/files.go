package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/TomOnTime/utfutil"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

const skipped = "+argocd:skip-file-rendering"

var (
	manifestFile   = regexp.MustCompile(`^.*\.(yaml|yml|json|jsonnet)$`)
	separator      = regexp.MustCompile(`^---\s*(#.*)?$`)
	lineOf         = regexp.MustCompile(`line (\d+)`)
	kustomizations = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
)

// What is said in the files of a folder before it is rendered: where each object stands, and what Argo CD would pass
// over without a word, run, or fetch.
type files struct {
	problems []problem
	places   map[string]string
}

func (r *renderer) look(kind v1alpha1.ApplicationSourceType, options *v1alpha1.ApplicationSource, path string) files {
	found := files{problems: []problem{}, places: map[string]string{}}
	switch kind {
	case v1alpha1.ApplicationSourceTypeDirectory:
		recurse := options.Directory != nil && options.Directory.Recurse
		_ = filepath.WalkDir(filepath.Join(r.root, path), func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && file != filepath.Join(r.root, path) && !recurse:
				return filepath.SkipDir
			case !entry.IsDir() && manifestFile.MatchString(entry.Name()):
				r.manifest(file, path, &found)
			}
			return nil
		})
	case v1alpha1.ApplicationSourceTypeKustomize:
		r.kustomization(filepath.Join(r.root, path), path, map[string]bool{}, &found)
	}
	return found
}

// Who is asked for an object's place knows it as Argo CD has read it.
func (f files) origin(manifest string) string {
	return f.places[nameOf([]byte(manifest))]
}

func nameOf(object []byte) string {
	var obj struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if json.Unmarshal(object, &obj) != nil {
		return ""
	}
	return obj.Kind + " " + obj.Metadata.Name
}

func (r *renderer) manifest(file, path string, found *files) {
	name, _ := filepath.Rel(r.root, file)
	text, err := utfutil.ReadFile(file, utfutil.UTF8)
	if err != nil { // such as a link that leads nowhere, which Argo CD passes over
		return
	}
	switch {
	case bytes.Contains(text, []byte(skipped)):
	case strings.HasSuffix(file, ".jsonnet"):
		said := "it should be objects, but is Jsonnet, a program that Argo CD would run"
		found.problems = append(found.problems, problem{"unreadable", path, name, 1, said})
	default:
		line := 1
		failed := decode(text)
		for _, document := range documents(text) {
			r.document(document, problem{"unreadable", path, name, line, ""}, &failed, found)
			line += bytes.Count(document, []byte("\n"))
		}
		if failed != nil {
			found.problems = append(found.problems, problem{"unreadable", path, name, 1, r.short(failed)})
		}
	}
}

// As Argo CD reads a file; where it fails and the file does not look like a manifest, Argo CD passes over it.
func decode(text []byte) error {
	decoder := kubeyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := decoder.Decode(&obj); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// The lines of each document, the separator in front of it among them.
func documents(text []byte) [][]byte {
	var found [][]byte
	var current []byte
	for _, line := range bytes.SplitAfter(text, []byte("\n")) {
		if separator.Match(bytes.TrimRight(line, "\r\n")) && len(current) > 0 {
			found, current = append(found, current), nil
		}
		current = append(current, line...)
	}
	return append(found, current)
}

// Notes where a document's objects are, and explains what has failed in the file if it is this document's fault.
func (r *renderer) document(text []byte, at problem, failed *error, found *files) {
	start := at.Line + blank(text)
	if behind := behindEnd(text); behind > 0 {
		at.Line, at.Message = at.Line+behind, "nothing should come behind the end of a document, but Argo CD would pass over this"
		found.problems = append(found.problems, at)
		return
	}
	content, err := yaml.YAMLToJSON(text)
	if err != nil && *failed != nil {
		*failed = nil
		at.Line, at.Message = lineIn(err, at.Line, start), r.short(err)
		found.problems = append(found.problems, at)
		return
	}
	if _, err := yaml.YAMLToJSONStrict(text); err != nil && strings.Contains(err.Error(), "already set in map") {
		at.Line, at.Message = lineIn(err, at.Line, start), r.short(err)
		found.problems = append(found.problems, at)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(content); err != nil && *failed != nil && string(content) != "null" {
		*failed = nil
		at.Line, at.Message = start, r.short(err)
		found.problems = append(found.problems, at)
		return
	}
	found.places[nameOf(content)] = fmt.Sprintf("%s:%d", at.File, start)
	if items, ok := object.Object["items"].([]any); ok {
		for _, item := range items {
			if text, err := json.Marshal(item); err == nil {
				found.places[nameOf(text)] = fmt.Sprintf("%s:%d", at.File, start)
			}
		}
	}
}

// The line with which something begins behind the mark of a document's end; 0: there is no such thing.
func behindEnd(text []byte) int {
	ended := false
	for i, line := range bytes.Split(text, []byte("\n")) {
		said := strings.TrimRight(string(line), " \t\r")
		if ended && said != "" && !strings.HasPrefix(said, "#") && said != "..." {
			return i
		}
		ended = ended || said == "..."
	}
	return 0
}

// Lines in front of a document that say nothing.
func blank(text []byte) int {
	for i, line := range bytes.Split(text, []byte("\n")) {
		said := strings.TrimSpace(string(line))
		if said != "" && !strings.HasPrefix(said, "#") && !separator.MatchString(said) {
			return i
		}
	}
	return 0
}

func lineIn(err error, first, otherwise int) int {
	if match := lineOf.FindStringSubmatch(err.Error()); match != nil {
		line, _ := strconv.Atoi(match[1])
		return first + line - 1
	}
	return otherwise
}

// What a kustomization takes from elsewhere is not in this commit, or at least not looked at where it is used.
func (r *renderer) kustomization(folder, path string, seen map[string]bool, found *files) {
	if seen[folder] {
		return
	}
	seen[folder] = true
	for _, name := range kustomizations {
		file := filepath.Join(folder, name)
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		relative, _ := filepath.Rel(r.root, file)
		var content types.Kustomization
		if content.Unmarshal(text) != nil { // Kustomize itself says what is wrong with it
			return
		}
		for _, taken := range takenBy(&content) {
			real, err := filepath.EvalSymlinks(filepath.Join(folder, taken))
			inside := err == nil && strings.HasPrefix(real+"/", filepath.Join(r.root, path)+"/")
			if !inside {
				said := fmt.Sprintf("it should take what is in its folder, but takes %s", taken)
				found.problems = append(found.problems, problem{"elsewhere", path, relative, lineWith(text, taken), said})
			} else if info, err := os.Stat(real); err == nil && info.IsDir() {
				r.kustomization(real, path, seen, found)
			}
		}
	}
}

func lineWith(text []byte, word string) int {
	if at := bytes.Index(text, []byte(word)); at >= 0 {
		return 1 + bytes.Count(text[:at], []byte("\n"))
	}
	return 1
}

// Files, folders and addresses; what spans lines or is an object is written out in place.
func takenBy(content *types.Kustomization) []string {
	taken := slices.Concat(content.Resources, content.Components, content.Bases, content.Crds, content.Configurations,
		content.Generators, content.Transformers, content.Validators)
	for _, patch := range slices.Concat(content.Patches, content.PatchesJson6902) {
		taken = append(taken, patch.Path)
	}
	for _, patch := range content.PatchesStrategicMerge {
		taken = append(taken, string(patch))
	}
	for _, replacement := range content.Replacements {
		taken = append(taken, replacement.Path)
	}
	for _, generated := range content.ConfigMapGenerator {
		taken = append(taken, sourcesOf(generated.KvPairSources)...)
	}
	for _, generated := range content.SecretGenerator {
		taken = append(taken, sourcesOf(generated.KvPairSources)...)
	}
	taken = append(taken, content.OpenAPI["path"])
	return slices.DeleteFunc(taken, func(one string) bool {
		return one == "" || strings.Contains(one, "\n") || strings.HasPrefix(one, "{")
	})
}

func sourcesOf(pairs types.KvPairSources) []string {
	taken := append(slices.Clone(pairs.EnvSources), pairs.EnvSource)
	for _, one := range pairs.FileSources {
		if _, file, named := strings.Cut(one, "="); named {
			one = file
		}
		taken = append(taken, one)
	}
	return taken
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// What came of folders that are alike in several trees: nearly all that there is to render, and hardly ever what a change
// is about. Plain manifests and kustomizations are made of their folder alone, since what takes from elsewhere is
// rejected before; charts may not be.
type memory struct {
	mutex sync.Mutex
	made  map[string][]string
}

func (m *memory) recall(key string) ([]string, bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	manifests, known := m.made[key]
	return manifests, known
}

func (m *memory) keep(key string, manifests []string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.made[key] = manifests
}

// Of all that decides what a folder makes; empty where something else may, such as the end of a link.
func (r *renderer) key(from source, merged *v1alpha1.ApplicationSource, folder string) string {
	digest := sha256.New()
	options, err := json.Marshal(merged)
	if err != nil {
		return ""
	}
	fmt.Fprintf(digest, "%q %q %q %q %q %q\n", from.path, from.app, from.namespace, r.kubeVersion, r.apiVersions, options)
	err = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return errors.New("it may lead anywhere")
		}
		content, err := os.ReadFile(file)
		name, _ := filepath.Rel(folder, file)
		fmt.Fprintf(digest, "%q %d\n", name, len(content))
		digest.Write(content)
		return err
	})
	if err != nil {
		return ""
	}
	return hex.EncodeToString(digest.Sum(nil))
}

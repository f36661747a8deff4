package localnet

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Registry is an OCI registry in this process, on loopback.
type Registry struct {
	addr   string
	server *http.Server
}

// StartRegistry serves a new, empty registry on a free port.
func StartRegistry() (*Registry, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler:           registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(listener) }() // ends with http.ErrServerClosed
	return &Registry{addr: listener.Addr().String(), server: server}, nil
}

// Close ends the registry.
func (r *Registry) Close() error { return r.server.Close() }

// PushProgram makes an image whose only file is a static program, started as
// /program, and returns its reference by digest.
func (r *Registry) PushProgram(repository, path string) (string, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		if err := w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(binary))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(binary); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		return io.NopCloser(&buf), nil
	})
	if err != nil {
		return "", err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return "", err
	}
	image, err = mutate.Config(image, v1.Config{Entrypoint: []string{"/program"}})
	if err != nil {
		return "", err
	}
	repo, err := name.NewRepository(r.addr + "/" + repository)
	if err != nil {
		return "", err
	}
	if err := remote.Write(repo.Tag("latest"), image); err != nil {
		return "", fmt.Errorf("push %s: %w", repo, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return repo.Digest(digest.String()).String(), nil
}

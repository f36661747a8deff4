package image

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/klauspost/compress/zstd"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

func parseReference(reference string) (name.Digest, error) {
	ref, err := name.NewDigest(reference, name.StrictValidation)
	if err != nil {
		return name.Digest{}, fmt.Errorf("%w: %w", ErrReference, err)
	}
	if !strings.HasPrefix(ref.DigestStr(), "sha256:") || len(ref.DigestStr()) != len("sha256:")+2*sha256.Size {
		return name.Digest{}, fmt.Errorf("%w: digest %q, want sha256:<64 hex digits>", ErrReference, ref.DigestStr())
	}
	return ref, nil
}

// newTransport looks at the address that is really connected to, so that
// neither a name nor a redirect leads to the host's own network.
func newTransport(allowPrivate bool) http.RoundTripper {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if ip := to.Addr().Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() {
				return fmt.Errorf("registry at %s: private addresses are not allowed on this host", ip)
			}
			return nil
		}
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 60 * time.Second, IdleConnTimeout: 90 * time.Second,
	}
}

// mismatch gives the library's two texts for one thing a type.
func mismatch(err error) error {
	if err == nil || errors.Is(err, ErrDigestMismatch) {
		return err
	}
	text := err.Error()
	if strings.Contains(text, "does not match requested digest") || strings.Contains(text, "error verifying") {
		return fmt.Errorf("%w: %w", ErrDigestMismatch, err)
	}
	return err
}

func checkDigest(what string, h hash.Hash, want v1.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); want.Algorithm != "sha256" || got != want.Hex {
		return fmt.Errorf("%w: %s is sha256:%s, want %s", ErrDigestMismatch, what, got, want)
	}
	return nil
}

func checkBytes(what string, raw []byte, want v1.Hash) error {
	h := sha256.New()
	h.Write(raw)
	return checkDigest(what, h, want)
}

// fetch unpacks an image under tmp. Each part is compared with the digest that
// names it in the part before, from the reference down.
func (s *Store) fetch(ctx context.Context, ref name.Digest, tmp string) (engine.Image, error) {
	keychain := s.options.Keychain
	if keychain == nil {
		keychain = authn.NewMultiKeychain() // empty: anonymous
	}
	descriptor, err := remote.Get(ref, remote.WithContext(ctx), remote.WithTransport(s.transport),
		remote.WithAuthFromKeychain(keychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		return engine.Image{}, mismatch(err)
	}
	want, err := v1.NewHash(ref.DigestStr())
	if err != nil {
		return engine.Image{}, err
	}
	if err := checkBytes("manifest", descriptor.Manifest, want); err != nil {
		return engine.Image{}, err
	}
	img, err := descriptor.Image() // the platform's own when this is an index
	if err != nil {
		return engine.Image{}, mismatch(err)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return engine.Image{}, mismatch(err)
	}
	rawConfig, err := img.RawConfigFile()
	if err != nil {
		return engine.Image{}, mismatch(err)
	}
	if err := checkBytes("configuration", rawConfig, manifest.Config.Digest); err != nil {
		return engine.Image{}, err
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(rawConfig))
	if err != nil {
		return engine.Image{}, err
	}
	if (config.OS != "" && config.OS != "linux") || (config.Architecture != "" && config.Architecture != runtime.GOARCH) {
		return engine.Image{}, fmt.Errorf("%w: it is for %s/%s, this is linux/%s", ErrPlatform, config.OS, config.Architecture, runtime.GOARCH)
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return engine.Image{}, fmt.Errorf("%w: configuration has %d layers, manifest has %d", ErrDigestMismatch, len(config.RootFS.DiffIDs), len(manifest.Layers))
	}
	if err := s.unpackLayers(img, manifest, config, tmp); err != nil {
		return engine.Image{}, err
	}
	return engine.Image{
		Digest: ref.DigestStr(), Entrypoint: config.Config.Entrypoint, Cmd: config.Config.Cmd, Env: config.Config.Env,
		WorkingDir: config.Config.WorkingDir, User: config.Config.User,
	}, nil
}

func (s *Store) unpackLayers(img v1.Image, manifest *v1.Manifest, config *v1.ConfigFile, tmp string) error {
	root := filepath.Join(tmp, rootfsDir)
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	u, err := newUnpacker(root, s.options.MaxBytes, s.options.MaxEntries)
	if err != nil {
		return err
	}
	defer u.Close()
	for i, layer := range manifest.Layers {
		if layer.Size > s.options.MaxBytes {
			return fmt.Errorf("%w: layer %d has %d bytes, at most %d are allowed", ErrTooLarge, i, layer.Size, s.options.MaxBytes)
		}
		remoteLayer, err := img.LayerByDigest(layer.Digest)
		if err != nil {
			return mismatch(err)
		}
		spool := filepath.Join(tmp, "layer")
		if err := download(remoteLayer, layer, spool); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
		if err := u.unpackFile(spool, config.RootFS.DiffIDs[i]); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
		if err := os.Remove(spool); err != nil {
			return err
		}
	}
	return nil
}

// download compares the whole layer before anything of it is unpacked.
func download(layer v1.Layer, want v1.Descriptor, path string) error {
	body, err := layer.Compressed()
	if err != nil {
		return mismatch(err)
	}
	defer body.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(body, want.Size+1))
	if err = errors.Join(mismatch(err), out.Close()); err != nil {
		return err
	}
	if n != want.Size {
		return fmt.Errorf("%w: got %d bytes, want %d", ErrDigestMismatch, n, want.Size)
	}
	return checkDigest("content", h, want.Digest)
}

// unpackFile unpacks a layer and compares its uncompressed content.
func (u *unpacker) unpackFile(path string, diffID v1.Hash) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := decompress(f)
	if err != nil {
		return err
	}
	defer plain.Close()
	h := sha256.New()
	content := io.TeeReader(plain, h)
	if err := u.layer(content); err != nil {
		return err
	}
	// What follows the archive's end counts for the digest too.
	if _, err := io.Copy(io.Discard, io.LimitReader(content, maxTrailer)); err != nil {
		return err
	}
	return checkDigest("uncompressed content", h, diffID)
}

const maxTrailer = 1 << 20

func decompress(f io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(f, 1<<20)
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		d, err := zstd.NewReader(in, zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	default:
		return io.NopCloser(in), nil
	}
}

package engine

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ErrNoCommand says that neither the manifest nor the image names a program.
var ErrNoCommand = errors.New("neither the manifest nor the image has a command")

// Argv is the command line to run: the manifest's command, or else the image's
// entrypoint, followed by the manifest's arguments, or else (when the entrypoint
// is the image's) the image's default ones.
func (w Workload) Argv() ([]string, error) {
	head, tail := w.Manifest.Command, w.Manifest.Args
	if len(head) == 0 {
		head = w.Image.Entrypoint
		if len(tail) == 0 {
			tail = w.Image.Cmd
		}
	}
	argv := slices.Concat(head, tail)
	if len(argv) == 0 || argv[0] == "" {
		return nil, ErrNoCommand
	}
	return argv, nil
}

// Environ is the environment, sorted: the image's, under the manifest's, under
// the host's own GRAFI_ variables. volumePath gives the path at which the
// workload finds a volume.
func (w Workload) Environ(volumePath func(name, path string) string) []string {
	env := map[string]string{}
	for _, pair := range append([]string{defaultPath, "HOME=/"}, w.Image.Env...) {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			env[name] = value
		}
	}
	maps.Copy(env, w.Manifest.Env)
	env["GRAFI_RENTAL_ID"] = strconv.FormatUint(w.RentalID, 10)
	for _, v := range w.Manifest.Volumes {
		name := strings.ToUpper(strings.ReplaceAll(v.Name, "-", "_"))
		env["GRAFI_VOLUME_"+name] = volumePath(v.Name, v.Path)
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// WorkingDir is where the program starts.
func (w Workload) WorkingDir() string {
	switch {
	case w.Manifest.WorkingDir != "":
		return w.Manifest.WorkingDir
	case strings.HasPrefix(w.Image.WorkingDir, "/"):
		return w.Image.WorkingDir
	default:
		return "/"
	}
}

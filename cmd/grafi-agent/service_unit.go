package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/grafilab/grafi/agent/service"
	systemd "github.com/grafilab/grafi/deploy/systemd"
)

// installation is what "service install" sets up.
type installation struct {
	Program   string   // absolute
	Arguments []string // of the program
	Home      string
	User      string
	// Credentials is a folder on the machine whose key files systemd gives to the
	// unit, or empty.
	Credentials string
}

// stateHome is the folder that StateDirectory= of the unit makes.
const stateHome = "/var/lib/grafi-agent"

// unit returns the text of the systemd unit: that of deploy/systemd with the
// installation's own lines.
func (i installation) unit() (string, error) {
	command := []string{i.Program}
	command = append(command, i.Arguments...)
	for n, arg := range command {
		if strings.ContainsAny(arg, "\n\r\x00") || strings.Contains(arg, "{{") {
			return "", usageError{fmt.Errorf("%q can't be in a systemd unit", arg)}
		}
		command[n] = quoteUnit(arg)
	}
	set := map[string]string{"ExecStart": strings.Join(command, " "), "User": i.User}
	var add []string
	if i.Home != stateHome {
		add = append(add, "ReadWritePaths="+quoteUnit(i.Home))
		for _, dir := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(i.Home+"/", dir) {
				set["ProtectHome"] = "no" // the chosen folder is there
			}
		}
	}
	if i.Credentials != "" {
		for _, name := range []string{service.AgentKeyName, service.EncryptionKeyName, service.FeeKeyName} {
			add = append(add, fmt.Sprintf("LoadCredential=%s:%s", name, filepath.Join(i.Credentials, name)))
		}
	}
	var b strings.Builder
	for line := range strings.Lines(systemd.AgentUnit) {
		name, _, _ := strings.Cut(line, "=")
		if value, ok := set[name]; ok {
			line = name + "=" + value + "\n"
			delete(set, name)
		}
		if strings.TrimSpace(line) == "[Install]" {
			for _, extra := range add {
				b.WriteString(extra + "\n")
			}
			if len(add) > 0 {
				b.WriteString("\n")
			}
		}
		b.WriteString(line)
	}
	if len(set) > 0 {
		return "", fmt.Errorf("the unit of deploy/systemd lacks %v", set)
	}
	return b.String(), nil
}

// quoteUnit quotes an argument by systemd.service(5): % and $ are doubled, and what
// has spaces or quotes is put in quotes.
func quoteUnit(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$").Replace(s)
	if s != "" && !strings.ContainsAny(s, " \t\"'\\;") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

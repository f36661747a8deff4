package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	system "github.com/kardianos/service"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/grafilab/grafi/agent/config"
)

// serviceName is that of the systemd unit and of the Windows service.
const serviceName = "grafi-agent"

// errNoSystemd means that the machine's services are not systemd's.
var errNoSystemd = errors.New("this machine's service manager is not systemd: start \"grafi-agent run\" by your own")

func serviceCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "service",
		Short: "Install, remove, start and stop the agent as a service of the system",
		Long: `The agent as a systemd unit on Linux and as a Windows service. Run it as root or
administrator, after "grafi-agent init" with the same --home.`,
		Example: "  grafi-agent service install --print\n  grafi-agent service install && grafi-agent service start",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	install := command(&cobra.Command{
		Use:   "install",
		Short: "Install the service, to start with the system",
		Long: `Writes the unit (Linux) or the entry of the service manager (Windows) with the flags
given here, and enables it. --print shows it and changes nothing.`,
		Example: `  grafi-agent service install
  grafi-agent service install --home /srv/grafi --print
  grafi-agent service install --credentials /etc/grafi-agent   # keys by systemd's LoadCredential`,
	}, runInstall)
	install.Flags().Bool("print", false, "show what would be installed and change nothing")
	install.Flags().String("user", "root", "user of the systemd unit; it needs the files in --home")
	install.Flags().String("credentials", "", "folder with agent.key, encryption.key and fee.key that systemd gives to the unit")
	root.AddCommand(install,
		serviceAction("uninstall", "Remove the service; keys and state stay", system.Service.Uninstall),
		serviceAction("start", "Start the service", system.Service.Start),
		serviceAction("stop", "Stop the service", system.Service.Stop),
		serviceStatusCmd())
	return root
}

func serviceAction(name, short string, do func(system.Service) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: noArgs, Example: "  grafi-agent service " + name,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := manager(installation{}, "")
			if err != nil {
				return err
			}
			if err := do(s); err != nil {
				return fmt.Errorf("%s the service: %w%s", name, err, needRoot())
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s done\n", serviceName, name)
			return err
		},
	}
}

func serviceStatusCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "status", Short: "Say whether the service is installed and runs (exit code 3 when it does not)", Args: noArgs,
		Example: "  grafi-agent service status --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			output, err := outputOf(cmd)
			if err != nil {
				return err
			}
			s, err := manager(installation{}, "")
			if err != nil {
				return err
			}
			state := "not installed"
			st, err := s.Status()
			switch {
			case errors.Is(err, system.ErrNotInstalled):
			case err != nil:
				state = err.Error()
			case st == system.StatusRunning:
				state = "running"
			case st == system.StatusStopped:
				state = "stopped"
			}
			answer := map[string]string{"service": serviceName, "manager": s.Platform(), "state": state}
			if err := show(cmd, output, answer, func(w *strings.Builder) {
				fmt.Fprintf(w, "%s (%s): %s\n", serviceName, s.Platform(), state)
			}); err != nil {
				return err
			}
			if state != "running" {
				return fmt.Errorf("%w: the service is not running", errNoAgent)
			}
			return nil
		},
	}
	addOutput(c)
	return c
}

func runInstall(cmd *cobra.Command, cfg config.Config, output string) error {
	f := cmd.Flags()
	i := installation{Home: cfg.Home, Arguments: append([]string{"run"}, givenSettings(f, cfg)...)}
	var err error
	if i.Program, err = os.Executable(); err != nil {
		return err
	}
	if i.Program, err = filepath.EvalSymlinks(i.Program); err != nil {
		return err
	}
	if i.User, err = f.GetString("user"); err != nil {
		return err
	}
	if i.Credentials, err = f.GetString("credentials"); err != nil {
		return err
	}
	if i.Credentials != "" && (!filepath.IsAbs(i.Credentials) || runtime.GOOS == "windows") {
		return usageError{fmt.Errorf("--credentials: got %q, want an absolute path, on Linux", i.Credentials)}
	}
	unit, err := i.describe()
	if err != nil {
		return err
	}
	if dry, err := f.GetBool("print"); err != nil {
		return err
	} else if dry {
		return show(cmd, output, map[string]string{"service": serviceName, "unit": unit}, func(w *strings.Builder) { w.WriteString(unit) })
	}
	s, err := manager(i, unit)
	if err != nil {
		return err
	}
	if err := s.Install(); err != nil {
		return fmt.Errorf("install the service: %w%s", err, needRoot())
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is installed. Start it with: grafi-agent service start\n", serviceName)
	return err
}

// describe is the unit, or what Windows' service manager is told.
func (i installation) describe() (string, error) {
	if runtime.GOOS != "windows" {
		return i.unit()
	}
	return i.windowsEntry(), nil
}

func (i installation) windowsEntry() string {
	return fmt.Sprintf("Name         %s\nDisplayName  %s\nProgram      %s\nArguments    %s\nStart        automatic, delayed\nAccount      LocalSystem\nOn failure   restart after 5 s\n",
		serviceName, displayName, i.Program, strings.Join(i.Arguments, " "))
}

const displayName = "Grafi agent"

// manager is the system's service manager for the installation.
func manager(i installation, unit string) (system.Service, error) {
	c := &system.Config{
		Name: serviceName, DisplayName: displayName, Description: "Reads the GPUs and signs for the host",
		Executable: i.Program, Arguments: i.Arguments,
		Option: system.KeyValue{
			"SystemdScript":    unit,
			"DelayedAutoStart": true, "OnFailure": "restart", "OnFailureDelayDuration": "5s", "OnFailureResetPeriod": 3600,
		},
	}
	s, err := system.New(hosted{}, c)
	if err != nil {
		return nil, fmt.Errorf("service manager: %w", err)
	}
	if runtime.GOOS == "linux" && s.Platform() != "linux-systemd" {
		return nil, errNoSystemd
	}
	return s, nil
}

// givenSettings are the settings of this command line, as flags of "run".
func givenSettings(f *pflag.FlagSet, cfg config.Config) []string {
	settings := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(settings)
	var out []string
	settings.VisitAll(func(s *pflag.Flag) {
		given := f.Lookup(s.Name)
		if given == nil || !given.Changed {
			return
		}
		value := given.Value.String()
		if slice, ok := given.Value.(pflag.SliceValue); ok {
			value = strings.Join(slice.GetSlice(), ",")
		}
		switch s.Name {
		case "home":
			value = cfg.Home // absolute: a service starts elsewhere
		case "config":
			if abs, err := filepath.Abs(value); err == nil {
				value = abs
			}
		}
		out = append(out, "--"+s.Name+"="+value)
	})
	return out
}

func needRoot() string {
	if runtime.GOOS == "windows" {
		return " (run it as administrator)"
	}
	if os.Geteuid() != 0 {
		return " (run it as root)"
	}
	return ""
}

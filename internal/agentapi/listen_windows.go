package agentapi

import (
	"context"
	"fmt"
	"net"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// Listen makes the named pipe at path. Its access list lets in the user that the
// agent runs as, the system and the administrators, and nobody over the network. A
// pipe that another process has already is an error.
func Listen(path string) (net.Listener, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("agent pipe: this process's user: %w", err)
	}
	// P: nothing is inherited; D;..;NU: logons over the network are refused first.
	sddl := fmt.Sprintf("D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%s)", user.User.Sid)
	l, err := winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: sddl})
	if err != nil {
		return nil, fmt.Errorf("agent pipe %s: is another agent running? %w", path, err)
	}
	return l, nil
}

// dial opens a connection to the agent's pipe. The other side can't act in the
// caller's name: go-winio connects anonymously.
func dial(ctx context.Context, path string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, path)
}

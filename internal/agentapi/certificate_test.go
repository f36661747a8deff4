package agentapi_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
)

// gateway is a TLS server with a certificate of the agent key.
func gateway(t *testing.T, agent ed25519.PrivateKey, issued time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	cert, err := agentapi.SignGatewayCertificate(agent, pub, issued)
	require.NoError(t, err)
	require.Equal(t, issued.Add(agentapi.CertificateLifetime).UTC(), cert.NotAfter)

	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.DER}, PrivateKey: key}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello")
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func TestRenterKnowsTheGatewayByTheAgentKey(t *testing.T) {
	agentPub, agent, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	otherPub, other, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	now := time.Now()

	tests := map[string]struct {
		addr string
		keys []ed25519.PublicKey
		want string
	}{
		"the registered key":      {addr: gateway(t, agent, now), keys: []ed25519.PublicKey{agentPub}},
		"one of two live keys":    {addr: gateway(t, agent, now), keys: []ed25519.PublicKey{otherPub, agentPub}},
		"somebody else's key":     {addr: gateway(t, other, now), keys: []ed25519.PublicKey{agentPub}, want: "was issued by"},
		"no key":                  {addr: gateway(t, agent, now), want: "was issued by"},
		"an expired certificate":  {addr: gateway(t, agent, now.Add(-8*24*time.Hour)), keys: []ed25519.PublicKey{agentPub}, want: "is valid from"},
		"a certificate of future": {addr: gateway(t, agent, now.Add(time.Hour)), keys: []ed25519.PublicKey{agentPub}, want: "is valid from"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := &net.Dialer{Timeout: 2 * time.Second}
			c, err := tls.DialWithDialer(d, "tcp", tc.addr, agentapi.GatewayTLS(tc.keys...))
			if tc.want != "" {
				require.ErrorIs(t, err, agentapi.ErrWrongGateway)
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			got, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "hello", string(got))
		})
	}
}

func TestSignRefusesAMalformedKey(t *testing.T) {
	_, agent, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, err = agentapi.SignGatewayCertificate(agent, []byte("not a key"), time.Now())
	require.ErrorIs(t, err, agentapi.ErrInvalid)
}

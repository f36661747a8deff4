package probe

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// frame is a type, a length and a payload; nothing else is on the wire.
type frame byte

const (
	frameHello frame = iota + 1
	framePing
	framePong
	frameData
	frameEnd
	frameAck
	frameDoc
	frameSignature
	frameRefuse
)

const (
	headerSize = 5
	maxControl = 4 << 10
	chunkSize  = 32 << 10
)

var errProtocol = errors.New("probe protocol")

// hello says which probe a session is for.
type hello struct {
	ChainID  string `json:"chain_id"`
	Slot     uint64 `json:"slot"`
	Prober   uint64 `json:"prober"`
	Target   uint64 `json:"target"`
	MaxBytes uint64 `json:"max_bytes"` // of a transfer, as the sender of this allows
	// Signed is the prober's document of this probe from an earlier session whose
	// answer was lost: only the target's signature is missing.
	Signed *signed `json:"signed,omitempty"`
}

// signed is a document in its canonical encoding, and its signature.
type signed struct {
	Doc       []byte `json:"doc"`
	Signature []byte `json:"signature"`
}

// figures is what the receiver of a transfer measured.
type figures struct {
	Bytes  uint64 `json:"bytes"`
	Micros uint64 `json:"us"`
}

type refusal struct {
	Why string `json:"why"`
	// Busy: the session may be tried again.
	Busy bool `json:"busy,omitempty"`
}

// send writes a control frame.
func send(w io.Writer, kind frame, payload any) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	if len(raw) > maxControl {
		return fmt.Errorf("%w: frame %d has %d bytes, at most %d", errProtocol, kind, len(raw), maxControl)
	}
	_, err = w.Write(append(header(kind, len(raw)), raw...))
	return err
}

func header(kind frame, size int) []byte {
	return binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(size))
}

// readHeader reads the next frame's type and size.
func readHeader(r io.Reader) (frame, int, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, 0, err
	}
	size := binary.BigEndian.Uint32(h[1:])
	limit := uint32(maxControl)
	if frame(h[0]) == frameData {
		limit = chunkSize
	}
	if size > limit {
		return 0, 0, fmt.Errorf("%w: frame %d has %d bytes, at most %d", errProtocol, h[0], size, limit)
	}
	return frame(h[0]), int(size), nil
}

// receive reads a control frame of this type.
func receive(r io.Reader, kind frame, payload any) error {
	got, size, err := readHeader(r)
	if err != nil {
		return err
	}
	if got == frameData {
		return fmt.Errorf("%w: data, want frame %d", errProtocol, kind)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(r, raw); err != nil {
		return err
	}
	if got == frameRefuse {
		var why refusal
		if err := json.Unmarshal(raw, &why); err != nil {
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
		if why.Busy {
			return fmt.Errorf("%w: %q", errBusy, why.Why)
		}
		return fmt.Errorf("%w: %q", ErrRefused, why.Why)
	}
	if got != kind {
		return fmt.Errorf("%w: frame %d, want %d", errProtocol, got, kind)
	}
	if err := json.Unmarshal(raw, payload); err != nil {
		return fmt.Errorf("%w: frame %d: %w", errProtocol, kind, err)
	}
	return nil
}

package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// deliver sends the spool, the oldest first, until something does not arrive.
func (f *Flow) deliver(ctx context.Context) error {
	names, err := f.spool.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := f.spool.read(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // trimmed
		}
		if err != nil {
			return err
		}
		refused, err := f.post(ctx, raw)
		if err != nil {
			return err
		}
		if refused != "" {
			f.drop(1, refused)
		} else {
			f.sent(name)
		}
		if err := f.spool.remove(name); err != nil {
			return err
		}
	}
	return nil
}

// post sends one batch. The service refuses for good with 400, 409 (it has another
// one for this slot), 413 and 422; everything else is tried again.
func (f *Flow) post(ctx context.Context, raw []byte) (refused string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+f.cfg.Address+Path, bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("data service: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, 512))
	if err != nil {
		return "", fmt.Errorf("data service: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return "", nil
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return fmt.Sprintf("the data service says %s: %q", resp.Status, text), nil
	}
	return "", fmt.Errorf("data service: %s: %q", resp.Status, text)
}

func (f *Flow) sent(name string) {
	var host, slot uint64
	_, err := fmt.Sscanf(name, "%d-%d", &host, &slot)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.LastSent = time.Now().UTC()
	if err == nil {
		f.status.LastSlot = slot
	}
}

package agentapi

import "time"

// Proofs is how far the host is proven, and what the agent does for it.
type Proofs struct {
	// TrustTier is the least of the GPUs'.
	TrustTier uint32           `json:"trust_tier"`
	Challenge *ChallengeStatus `json:"challenge,omitempty"` // the newest one
	Probes    ProbeStatus      `json:"probes"`
	Devices   []DeviceStatus   `json:"devices"`
	// Why nothing can be looked at or delivered now; empty when it can.
	ChallengeError string `json:"challenge_error,omitempty"`
	ProbeError     string `json:"probe_error,omitempty"`
	DeviceError    string `json:"device_error,omitempty"`
}

// ChallengeStatus is a proof of compute.
type ChallengeStatus struct {
	ID        uint64         `json:"id"`
	Reason    string         `json:"reason"`
	State     string         `json:"state"` // OVER once the chain has forgotten it
	StartedAt time.Time      `json:"started_at"`
	EndedSlot uint64         `json:"ended_slot,omitempty"` // it ended unanswered in this slot
	GPUs      []ChallengeGPU `json:"gpus"`
}

// ChallengeGPU is one GPU's answer.
type ChallengeGPU struct {
	Ordinal uint32 `json:"ordinal"`
	Class   string `json:"class"`
	Outcome string `json:"outcome"` // PENDING, PASSED, MISSED or WRONG
	GOPS    uint64 `json:"gops,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// ProbeStatus counts the probes of a day of slots.
type ProbeStatus struct {
	Listening    string    `json:"listening,omitempty"` // empty: no inbound port
	Day          uint64    `json:"day"`
	Made         uint32    `json:"made"`   // of others
	Taken        uint32    `json:"taken"`  // by others
	Failed       uint32    `json:"failed"` // given up
	ToDeliver    int       `json:"to_deliver"`
	LastAt       time.Time `json:"last_at"` // zero before the first
	LastPeer     uint64    `json:"last_peer,omitempty"`
	LastUpMbps   uint64    `json:"last_up_mbps,omitempty"` // from the target to the prober
	LastDownMbps uint64    `json:"last_down_mbps,omitempty"`
	LastRTTMicro uint64    `json:"last_rtt_us,omitempty"`
	LastError    string    `json:"last_error,omitempty"`
}

// DeviceStatus is the device attestation of one GPU.
type DeviceStatus struct {
	Ordinal   uint32    `json:"ordinal"`
	TrustTier uint32    `json:"trust_tier"`
	Serial    string    `json:"serial,omitempty"` // of the die; empty while none is registered
	ExpiresAt time.Time `json:"expires_at"`
	Why       string    `json:"why,omitempty"` // why there is none, or it could not be renewed
}

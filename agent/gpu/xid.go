package gpu

// fatalXids are the errors after which a GPU does no more work until it is reset
// or the machine restarted. Source: NVIDIA's Xid catalogue, those whose immediate
// action is RESET_GPU, RESTART_BM or CHECK_MECHANICALS. Others are kept as
// FlagXid: 13, 31, 43 and 45, for example, are faults of an application.
var fatalXids = map[uint64]bool{
	46:  true, // GPU stopped processing
	48:  true, // double bit ECC error
	62:  true, // internal micro-controller halt
	64:  true, // row remapper failure
	74:  true, // NVLink error
	79:  true, // GPU has fallen off the bus
	95:  true, // uncontained ECC error
	110: true, // security fault
	119: true, // GSP RPC timeout
	120: true, // GSP error
	136: true, // link training failed
	140: true, // unrecovered ECC error
	143: true, // GPU initialisation failure
}

// xidFlags returns the flags for the Xids of one sample.
func xidFlags(xids []uint64) Flags {
	var f Flags
	for _, x := range xids {
		if fatalXids[x] {
			f |= FlagXidFatal
		} else {
			f |= FlagXid
		}
	}
	return f
}

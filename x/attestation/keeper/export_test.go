package keeper

// ForgetKeys empties the key cache of the process.
func ForgetKeys() { keyCache = newExpandedKeys(keyCacheSize) }

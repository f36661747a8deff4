// Package mergepatch is JSON Merge Patch (RFC 7396) on decoded values.
package mergepatch

// Apply returns target changed by patch, by the algorithm of RFC 7396, section 2.
// It may change target.
func Apply(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	result, ok := target.(map[string]any)
	if !ok {
		result = map[string]any{}
	}
	for key, value := range change {
		if value == nil {
			delete(result, key)
			continue
		}
		result[key] = Apply(result[key], value)
	}
	return result
}

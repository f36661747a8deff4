//go:build !linux && !windows

package prove

const systemLibrary = ""

type library struct{}

func openLibrary(string) (*library, error) { return nil, ErrNoDriver }

//go:uintptrescapes
func (l *library) call(string, ...uintptr) (int32, error) { return 0, ErrNoDriver }

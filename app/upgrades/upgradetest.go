//go:build upgradetest

package upgrades

// TestUpgrade is in no release: the system tests build a binary with this tag
// to be the next version of the chain.
const TestUpgrade = "upgradetest"

func init() { All = append(All, MigrationsOnly(TestUpgrade)) }

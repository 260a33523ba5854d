package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/filter/config"
)

// FuzzConvert holds what Convert promises of any input: an error, or a policy that the plugin accepts, or a finding that says why there is none.
func FuzzConvert(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*")
	if err != nil {
		f.Fatal(err)
	}
	sources := Sources()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil || strings.HasSuffix(name, ".golden") || strings.Contains(name, "fuzz") {
			continue
		}
		for i := range sources {
			f.Add(data, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, source uint8) {
		result, err := Convert([]Input{{"input", data}}, sources[int(source)%len(sources)])
		if err != nil {
			if _, isFault := err.(*InternalError); isFault {
				t.Fatalf("%v\n%s", err, data)
			}
			return
		}
		if len(result.Configurations) == 0 && len(result.Findings) == 0 {
			t.Fatalf("no policy and no finding: %s", data)
		}
		for _, c := range result.Configurations {
			if _, _, err := config.Parse(c.JSON); err != nil {
				t.Fatalf("the plugin refuses what was made of %s: %v\n%s", data, err, c.JSON)
			}
			compile(t, c.JSON)
		}
		for _, to := range Targets() {
			if _, _, err := result.Wrap(Wrapping{To: to, Name: "corsguard"}); err != nil {
				t.Fatalf("--to %s: %v", to, err)
			}
		}
	})
}

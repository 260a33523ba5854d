package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func newCheck(p *program) *cobra.Command {
	return &cobra.Command{Use: "check", RunE: func(*cobra.Command, []string) error { return errors.New("not built yet") }}
}

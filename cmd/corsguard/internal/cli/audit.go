package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func newAudit(p *program) *cobra.Command {
	return &cobra.Command{Use: "audit", RunE: func(*cobra.Command, []string) error { return errors.New("not built yet") }}
}

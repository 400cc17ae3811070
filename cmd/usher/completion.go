package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
	"github.com/usher-id/usher/internal/app"
)

// users', jobs' and deliveries' states, as their flags take them.
var (
	userStates     = []string{client.StatusStaged, client.StatusActive, client.StatusInactive, client.StatusDeleted}
	jobStates      = []string{"waiting", "running", "done", "failed", "cancelled"}
	deliveryStates = []string{"waiting", "dead"}
	rankNames      = []string{client.RankSelf, client.RankReader, client.RankHelpdesk, client.RankAdministrator, client.RankOwner}
	holdKinds      = []string{client.HoldOpenOrders, client.HoldAssignedVehicle, client.HoldVehicleRemoved, client.HoldLegal}
	groupKinds     = []string{client.GroupPlain, client.GroupDashboard, client.GroupServiceTeam}
	fileFormats    = []string{"csv", "ndjson", "scim"}
)

// completions are what shells are offered behind a flag, by its name; a longer name
// is for the flag of one command, as in "job list.state".
var completions = map[string]func(p *program) []string{
	"status":                   offer(userStates),
	"rank":                     offer(rankNames),
	"doors":                    func(*program) []string { return append(app.DoorNames(), "all") },
	"door":                     func(*program) []string { return append(app.DoorNames(), "cli", "server") },
	"type":                     func(*program) []string { return app.EventTypes() },
	"profile":                  (*program).profileNames,
	"format":                   offer(fileFormats),
	"job list.state":           offer(jobStates),
	"job list.kind":            func(*program) []string { return app.JobKinds() },
	"webhook deliveries.state": offer(deliveryStates),
	"user hold.kind":           offer(holdKinds),
	"hold list.kind":           offer(holdKinds),
	"hold place.kind":          offer(holdKinds),
	"hold release.kind":        offer(holdKinds),
	"group list.kind":          offer(groupKinds),
	"group create.kind":        offer(groupKinds),
	"client create.kind":       offer([]string{"oauth", "api_user", "customer"}),
}

func offer(list []string) func(*program) []string { return func(*program) []string { return list } }

// addCompletions tells the shells what flags can have.
func (p *program) addCompletions(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		p.addCompletions(sub)
	}
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	for flag, values := range completions {
		command, own, special := strings.Cut(flag, ".")
		if special && command == name {
			flag = own
		}
		f := cmd.Flags().Lookup(flag)
		if f == nil {
			continue
		}
		list := f.Value.Type() == "stringSlice" || flag == "doors"
		// The flag was just found; a second registration for it cannot be.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return complete(values(p), begun, list)
		})
	}
}

// complete offers values for what was begun; of a list only its last part is.
func complete(values []string, begun string, list bool) ([]string, cobra.ShellCompDirective) {
	before := ""
	if at := strings.LastIndexByte(begun, ','); list && at >= 0 {
		before = begun[:at+1]
	}
	var fit []string
	for _, v := range slices.Sorted(slices.Values(values)) {
		if strings.HasPrefix(before+v, begun) {
			fit = append(fit, before+v)
		}
	}
	return fit, cobra.ShellCompDirectiveNoFileComp
}

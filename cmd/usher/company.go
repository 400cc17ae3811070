package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/usher-id/usher/client"
)

func (p *program) companyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "company", Short: "Make and change companies, on a running server", Args: cobra.NoArgs, RunE: showHelp}
	cmd.AddCommand(p.companyListCommand(), p.companyShowCommand(), p.companyCreateCommand(), p.companyEditCommand(), p.companyDeleteCommand())
	return cmd
}

func (p *program) companyListCommand() *cobra.Command {
	var q client.CompanyQuery
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List companies as a tree, from a running server",
		Long: "List companies, from a running server: as a tree, with --q those whose name has a part, or with --json and --csv one\n" +
			"a line, with the numbers from the root down as its path.",
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&q.Search, "q", "", "part of the name")
	l.addFlags(cmd)
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		q.Limit = l.page()
		list := r.Companies.All(ctx, q)
		tree := !l.json && !l.csv && q.Search == ""
		if tree {
			var all []client.Company
			for c, err := range list {
				if err != nil {
					return err
				}
				all = append(all, c)
			}
			list = each(inTree(all))
		}
		return printList(p.stdout, l, list, "NUMBER\tNAME\tPATH\tWEBSITE\tID", func(c *client.Company) []string {
			name := c.Name
			if tree {
				name = strings.Repeat("  ", max(len(c.Path), 1)-1) + name
			}
			return cells(c.Number, name, pathText(c.Path), c.Website, c.ID)
		})
	})
}

// inTree is companies in the order of a tree: each behind the one above it, those of
// one company by name.
func inTree(all []client.Company) []client.Company {
	below := map[int64][]client.Company{}
	here := map[int64]bool{}
	for _, c := range all {
		here[c.Number] = true
	}
	for _, c := range all {
		above := c.Parent
		if !here[above] { // a key of one company sees only that and what is below
			above = 0
		}
		below[above] = append(below[above], c)
	}
	var tree []client.Company
	var add func(above int64)
	add = func(above int64) {
		slices.SortFunc(below[above], func(a, b client.Company) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Number, b.Number))
		})
		for _, c := range below[above] {
			tree = append(tree, c)
			add(c.Number)
		}
	}
	add(0)
	return tree
}

func pathText(path []int64) string {
	parts := make([]string, len(path))
	for i, n := range path {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, "/")
}

// company finds a company by number, id or name.
func (r *remote) company(ctx context.Context, which string) (*client.Company, error) {
	none := absent("tenant %s has no company %q; see: usher company list", r.tenant.Name, which)
	if _, err := strconv.ParseInt(which, 10, 64); err == nil || uuid.MatchString(which) {
		c, err := r.Companies.Get(ctx, which)
		if client.IsNotFound(err) {
			return nil, none
		}
		return c, err
	}
	for c, err := range r.Companies.All(ctx, client.CompanyQuery{Search: which, PageQuery: client.PageQuery{Limit: 200}}) {
		if err != nil || strings.EqualFold(c.Name, which) {
			return &c, err
		}
	}
	return nil, none
}

// onCompany makes a command about one company.
func (p *program) onCompany(cmd *cobra.Command, do func(context.Context, *remote, *client.Company) error) *cobra.Command {
	cmd.Long = cmd.Short + ". COMPANY is its number, id or name."
	cmd.Args = cobra.ExactArgs(1)
	return p.ask(cmd, func(ctx context.Context, r *remote, args []string) error {
		c, err := r.company(ctx, args[0])
		if err != nil {
			return err
		}
		return do(ctx, r, c)
	})
}

func (p *program) companyShowCommand() *cobra.Command {
	return p.onCompany(&cobra.Command{Use: "show COMPANY", Short: "Print a company as JSON, from a running server"},
		func(_ context.Context, _ *remote, c *client.Company) error { return p.printJSON(c) })
}

func (p *program) companyCreateCommand() *cobra.Command {
	var in client.NewCompany
	var parent, metadata string
	cmd := &cobra.Command{
		Use:     "create",
		Short:   "Make a company below another one, or as a root, on a running server",
		Example: "  usher company create --name 'Region North' --parent 14146",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&in.Name, "name", "", "name of the company (required)")
	cmd.Flags().StringVar(&parent, "parent", "", "the company above: number, id or name; a root when left out")
	cmd.Flags().Int64Var(&in.Number, "number", 0, "number to keep; drawn when left out")
	cmd.Flags().StringVar(&in.Website, "website", "", "address of its site")
	cmd.Flags().StringVar(&metadata, "metadata", "", "any JSON")
	return p.ask(cmd, func(ctx context.Context, r *remote, _ []string) error {
		if parent != "" {
			above, err := r.company(ctx, parent)
			if err != nil {
				return err
			}
			in.Parent = above.Number
		}
		if metadata != "" {
			if !json.Valid([]byte(metadata)) {
				return errors.New("--metadata: is no JSON")
			}
			in.Metadata = json.RawMessage(metadata)
		}
		c, err := r.Companies.Create(ctx, in, r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "made company %d %s with id %s\n", c.Number, c.Name, c.ID)
		return err
	})
}

func (p *program) companyEditCommand() *cobra.Command {
	var patch client.CompanyPatch
	cmd := &cobra.Command{Use: "edit COMPANY", Short: "Change a company, on a running server; an empty value resets"}
	optText(cmd, &patch.Name, "name", "name of the company")
	optText(cmd, &patch.Website, "website", "address of its site")
	cmd.Flags().Var(&optFlag[json.RawMessage]{into: &patch.Metadata, kind: "json", read: func(text string) (json.RawMessage, error) {
		if !json.Valid([]byte(text)) {
			return nil, errors.New("is no JSON")
		}
		return json.RawMessage(text), nil
	}}, "metadata", "any JSON")
	return p.onCompany(cmd, func(ctx context.Context, r *remote, c *client.Company) error {
		if patch.Name.IsZero() && patch.Website.IsZero() && patch.Metadata.IsZero() {
			return nothingToChange(cmd)
		}
		c, err := r.Companies.Update(ctx, fmt.Sprint(c.Number), patch, client.IfMatch(c.ETag), r.because)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "changed company %d %s, now version %d\n", c.Number, c.Name, c.Version)
		return err
	})
}

func (p *program) companyDeleteCommand() *cobra.Command {
	return p.onCompany(&cobra.Command{Use: "delete COMPANY", Short: "Delete a company that nothing belongs to, on a running server"},
		func(ctx context.Context, r *remote, c *client.Company) error {
			if err := r.Companies.Delete(ctx, fmt.Sprint(c.Number), r.because); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "deleted company %d %s\n", c.Number, c.Name)
			return err
		})
}

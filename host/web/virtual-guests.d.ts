/** What build/guest-images.ts makes. */
declare module "virtual:guests" {
  interface BundledGuest {
    readonly name: string;
    readonly title: string;
    readonly run: { readonly memoryMiB?: number; readonly vcpus?: number; readonly cmdline?: string };
    /** Address of the ELF file. */
    readonly image: string;
    /** Address of the assembly listing. */
    readonly listing: string;
  }
  const guests: readonly BundledGuest[];
  export default guests;
}

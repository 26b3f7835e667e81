import type { Locator, Page } from 'playwright-core';

/** The part of a response that Swagger UI shows. */
export interface ShownAnswer {
  status: number;
  /** The parsed JSON of the body. Null if there is none. */
  body: unknown;
}

/** The values that a person enters into the form of an operation. */
export interface Input {
  parameters?: Record<string, string>;
  body?: unknown;
  /** A file for the upload field. */
  file?: { name: string; mimeType: string; buffer: Buffer };
}

/** Uses Swagger UI as a person does. */
export class SwaggerPage {
  constructor(readonly page: Page) {}

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.locator('.opblock').first().waitFor();
  }

  /** Pastes a credential into the *Authorize* dialog, under the heading of one of the two schemes. */
  async authorize(scheme: 'manager_auth' | 'management_key', credential: string): Promise<void> {
    await this.page.locator('.masthead .btn.authorize').click();
    const form = this.page.locator('.auth-container', { hasText: scheme });
    const logout = form.getByRole('button', { name: 'Remove authorization' });
    if (await logout.isVisible()) {
      await logout.click();
    }
    await form.locator('input').fill(credential);
    await form.getByRole('button', { name: 'Apply credentials' }).click();
    await this.page.locator('.dialog-ux').waitFor({ state: 'detached' });
  }

  /** Returns what the bar at the top shows about the credential in use. */
  async credential(): Promise<string> {
    return (await this.page.locator('.masthead-credential').innerText()).trim();
  }

  operation(operationId: string): Locator {
    return this.page.locator(`.opblock[id$="-${operationId}"]`);
  }

  /** Opens an operation, fills in its form, executes it, and returns what is shown. */
  async execute(operationId: string, { parameters = {}, body, file }: Input = {}): Promise<ShownAnswer> {
    const operation = this.operation(operationId);
    if (!(await operation.evaluate((element) => element.classList.contains('is-open')))) {
      await operation.locator('.opblock-summary-control').click();
    }
    const tryItOut = operation.getByRole('button', { name: 'Try it out' });
    if (await tryItOut.isVisible()) {
      await tryItOut.click();
    }
    for (const [name, value] of Object.entries(parameters)) {
      const field = operation.locator(`tr[data-param-name="${name}"]`).locator('input, select').first();
      await ((await field.evaluate((element) => element.tagName)) === 'SELECT'
        ? field.selectOption(value)
        : field.fill(value));
    }
    if (body !== undefined) {
      await operation.locator('textarea.body-param__text').fill(JSON.stringify(body, null, 2));
    }
    if (file) {
      const chooser = this.page.waitForEvent('filechooser');
      await operation.locator('input[type=file]').click();
      await (await chooser).setFiles(file);
    }
    const clear = operation.getByRole('button', { name: 'Clear', exact: true });
    if (await clear.isVisible()) {
      await clear.click();
    }
    await operation.getByRole('button', { name: 'Execute', exact: true }).click();
    const answer = operation.locator('.live-responses-table tbody tr.response').first();
    await answer.waitFor();
    const shown = answer.locator('.response-col_description .highlight-code code').first();
    const text = (await shown.count()) > 0 ? await shown.innerText() : '';
    return {
      status: Number((await answer.locator('.response-col_status').innerText()).trim().split(/\s/)[0]),
      body: text.trim().startsWith('{') ? (JSON.parse(text) as unknown) : null,
    };
  }
}

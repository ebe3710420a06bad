/** Volume: nested orders of about 50 KB each, with names from all over the world. The same on every machine. */

import { type Random, seededRandom } from '../../../workflows/capacity/random.ts'
import type { NewObject } from './put-objects.ts'
import { integerBetween, pick } from './random.ts'

/** Bytes of an order: lines are added until it has at least this many. A line has 500 to 800. */
const ORDER_BYTES = { least: 48_000, most: 51_500 }

const FIRST_ORDER_AT = Date.UTC(2026, 0, 5, 7)

const CUSTOMERS: readonly [Customer, ...Customer[]] = [
  { name: 'Zoë Müller', country: 'DE', city: 'Köln', street: 'Große Straße 12', currency: 'EUR' },
  { name: 'Łukasz Wójcik', country: 'PL', city: 'Łódź', street: 'ul. Żeromskiego 4', currency: 'PLN' },
  { name: '山田 太郎', country: 'JP', city: '大阪市', street: '中央区難波 1-2-3', currency: 'JPY' },
  { name: 'أحمد الفاسي', country: 'MA', city: 'الدار البيضاء', street: 'شارع محمد الخامس ٧', currency: 'MAD' },
  { name: 'Søren Ærø', country: 'DK', city: 'Århus', street: 'Nørregade 9', currency: 'DKK' },
  { name: 'María-José Núñez', country: 'ES', city: 'A Coruña', street: 'Rúa do Franco 31', currency: 'EUR' },
  { name: 'Оксана Шевченко', country: 'UA', city: 'Київ', street: 'вул. Хрещатик 22', currency: 'UAH' },
  { name: "Siobhán O'Brien", country: 'IE', city: 'Dún Laoghaire', street: '5 Marine Road', currency: 'EUR' },
  { name: 'अनन्या शर्मा', country: 'IN', city: 'मुंबई', street: 'मरीन ड्राइव 18', currency: 'INR' },
  { name: 'Nguyễn Thị Ánh', country: 'VN', city: 'Đà Nẵng', street: '45 Trần Phú', currency: 'VND' },
]

const PRODUCTS: readonly [Product, ...Product[]] = [
  { name: 'Crème brûlée torch', category: 'kitchen', material: 'steel' },
  { name: 'Fjällräv rain jacket', category: 'clothing', material: 'nylon' },
  { name: 'Piñata, large 🪅', category: 'party', material: 'paper' },
  { name: 'Señorita café mug', category: 'kitchen', material: 'stoneware' },
  { name: '南部鉄器 teapot', category: 'kitchen', material: 'cast iron' },
  { name: 'Übergröße hiking socks', category: 'clothing', material: 'wool' },
  { name: 'Notebook "Grüße" 5×5 mm', category: 'stationery', material: 'paper' },
]

interface Customer {
  readonly name: string
  readonly country: string
  readonly city: string
  readonly street: string
  readonly currency: string
}

interface Product {
  readonly name: string
  readonly category: string
  readonly material: string
}

/** Makes `count` orders: `input/orders/<day>/<order id>.json`. */
export function generateOrders(count: number, seed = 1): NewObject[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, position) => {
    const order = makeOrder(random, position)
    const day = order.ordered_at.slice(0, 10)
    return { key: `input/orders/${day}/${order.order_id}.json`, body: Buffer.from(JSON.stringify(order)) }
  })
}

function makeOrder(random: Random, position: number) {
  const customer = pick(random, CUSTOMERS)
  const orderedAt = new Date(FIRST_ORDER_AT + position * 7 * 60_000 + integerBetween(random, 0, 60_000))
  const address = { street: customer.street, city: customer.city, country: customer.country }
  const head = {
    order_id: `SO-${100_000 + position}`,
    ordered_at: orderedAt.toISOString(),
    channel: pick(random, ['web', 'app', 'store', 'phone']),
    currency: customer.currency,
    total: 0,
    customer: {
      id: `C-${integerBetween(random, 1, 400)}`,
      name: customer.name,
      country: customer.country,
      loyalty:
        random() < 0.3 ? { tier: pick(random, ['silver', 'gold']), points: integerBetween(random, 0, 9_999) } : null,
    },
    billing_address: address,
    shipping_address: { ...address, note: pick(random, ['', 'Bitte klingeln', '置き配希望', 'Dejar en portería']) },
    payment: {
      method: pick(random, ['card', 'invoice', 'wallet']),
      authorized: true,
      reference: hexadecimal(random, 24),
    },
    lines: [],
  }
  const { lines, totalCents } = makeLines(
    random,
    integerBetween(random, ORDER_BYTES.least, ORDER_BYTES.most) - sizeOf(head),
  )
  return { ...head, total: totalCents / 100, lines }
}

/** Lines of at least so many bytes, and what they cost together. */
function makeLines(random: Random, bytes: number) {
  const lines: ReturnType<typeof makeLine>[] = []
  let totalCents = 0
  for (let made = 0; made < bytes; ) {
    const quantity = integerBetween(random, 1, 12)
    const unitPriceCents = integerBetween(random, 99, 25_000)
    const line = makeLine(random, lines.length + 1, quantity, unitPriceCents)
    lines.push(line)
    totalCents += quantity * unitPriceCents
    made += sizeOf(line)
  }
  return { lines, totalCents }
}

function makeLine(random: Random, number: number, quantity: number, unitPriceCents: number) {
  const product = pick(random, PRODUCTS)
  return {
    line: number,
    sku: `${product.category.slice(0, 3).toUpperCase()}-${integerBetween(random, 10_000, 99_999)}`,
    name: product.name,
    quantity,
    unit_price: unitPriceCents / 100,
    tax: { rate: pick(random, [0, 0.07, 0.19, 0.25]), included: true },
    attributes: {
      category: product.category,
      material: product.material,
      colour: pick(random, ['rouge', 'grün', 'azul', '白', 'чорний']),
      weight_grams: integerBetween(random, 20, 4_000),
      is_gift: random() < 0.1,
    },
    stock: { warehouse: pick(random, ['HAM-1', 'WRO-2', 'KIX-1']), lot: hexadecimal(random, 16), reserved: quantity },
    tracking: Array.from({ length: integerBetween(random, 1, 3) }, () => ({
      event: pick(random, ['picked', 'packed', 'shipped', 'delivered']),
      carrier: pick(random, ['Österreichische Post', 'ヤマト運輸', 'Correos', 'DHL']),
      code: hexadecimal(random, 20),
    })),
  }
}

/** Of its JSON in UTF-8. */
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** @param length at most 24 digits */
function hexadecimal(random: Random, length: number): string {
  const eightDigits = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return `${eightDigits()}${eightDigits()}${eightDigits()}`.slice(0, length)
}
